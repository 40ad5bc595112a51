"""Completions for bash, zsh and fish, from a command tree. Each follows the words typed so far to a command, and offers
what may come there: commands, options, the words an option takes; files otherwise."""

from commands import choices, first_line, walk


def where(path):
    """How a script remembers the command it is in: " checkpoint create"."""
    return "".join(" " + word for word in path)


def places(tree):
    return [where(path) for path, _ in walk(tree) if path]


def options_at(tree, path, command):
    """The command's options, and those of the program, which may stand anywhere."""
    return command["options"] + (tree["options"] if path else [])


def names_of(options):
    return sorted({name for option in options for name in option["names"]})


def all_choices(tree):
    """The words after an option that takes one of a few, by its names; an option means the same in every command."""
    found = {}
    for _, command in walk(tree):
        for option in command["options"]:
            if choices(option):
                found["|".join(option["names"])] = " ".join(choices(option))
    return found


def takers(tree):
    """Options behind which a word is theirs, and no command."""
    return sorted({name for _, command in walk(tree) for option in command["options"] if option["argument"]
                   for name in option["names"]})


def follow(tree, parenthesis):
    """The loop's body in bash and zsh: from the words so far to $at."""
    lines = ["    if [[ -n $skip ]]; then skip=''; continue; fi",
             f"    case $word in {parenthesis}{'|'.join(takers(tree))}) skip=1; continue ;; esac"]
    if places(tree):
        known = "|".join(f"'{one}'" for one in places(tree))
        lines += [f"    case \"$at $word\" in {parenthesis}{known}) at=\"$at $word\" ;; esac"]
    return lines


def bash(tree):
    name = tree["name"]
    lines = [f"# Completion of {name} for bash.", f"_{name}() {{",
             "  local current=${COMP_WORDS[COMP_CWORD]} at='' skip='' word words=''",
             "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do", *follow(tree, ""),
             "  done", "  case ${COMP_WORDS[COMP_CWORD-1]} in"]
    for names, words in all_choices(tree).items():
        lines += [f"    {names}) words='{words}' ;;"]
    lines += ["    *)", "      case $at in"]
    for path, command in walk(tree):
        offered = [one["name"] for one in command["commands"]] + names_of(options_at(tree, path, command))
        lines += [f"        '{where(path)}') words='{' '.join(offered)}' ;;"]
    lines += ["      esac ;;", "  esac", "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")", "}",
              f"complete -o default -F _{name} {name}"]
    return "\n".join(lines) + "\n"


def described(name, about):
    """For zsh's _describe: 'name:about' in single quotes."""
    text = f"{name}:{first_line(about)}".replace("'", "'\\''")
    return f"'{text}'"


def zsh(tree):
    name = tree["name"]
    lines = [f"#compdef {name}", f"# Completion of {name} for zsh.", f"_{name}() {{", "  local at='' skip='' word",
             "  local -a commands options values", "  for word in \"${(@)words[2,CURRENT-1]}\"; do", *follow(tree, "("),
             "  done", "  case ${words[CURRENT-1]} in"]
    for names, words in all_choices(tree).items():
        lines += [f"    ({names}) values=({words}) ;;"]
    lines += ["  esac", "  case $at in"]
    for path, command in walk(tree):
        commands = " ".join(described(one["name"], one["about"]) for one in command["commands"])
        options = " ".join(described(each, option["about"]) for option in options_at(tree, path, command)
                           for each in option["names"])
        lines += [f"    ('{where(path)}') commands=({commands}) options=({options}) ;;"]
    lines += ["  esac", "  if (( $#values )); then", "    compadd -a values", "  elif [[ $PREFIX == -* ]]; then",
              "    _describe -o option options", "  elif (( $#commands )); then", "    _describe command commands", "  else",
              "    _files", "  fi", "}", f"_{name} \"$@\""]
    return "\n".join(lines) + "\n"


def quoted(text):
    """For fish."""
    return "'" + first_line(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_option(name, at, option):
    words = "".join(f" -l {one[2:]}" if one.startswith("--") else f" -s {one[1:]}" for one in option["names"])
    if choices(option):
        words += f" -x -a '{' '.join(choices(option))}'"
    elif option["argument"]:
        words += " -r"
    condition = f" -n \"__{name}_at '{at}'\"" if at is not None else ""
    return f"complete -c {name}{condition}{words} -d {quoted(option['about'])}"


def fish(tree):
    name = tree["name"]
    lines = [f"# Completion of {name} for fish.", f"function __{name}_at", "  set -l at ''", "  set -l skip ''",
             "  for word in (commandline -opc)[2..-1]", "    if test -n \"$skip\"", "      set skip ''", "      continue", "    end",
             "    switch $word", "      case " + " ".join(takers(tree)), "        set skip 1", "        continue", "    end"]
    if places(tree):
        lines += ["    switch \"$at $word\"", "      case " + " ".join(f"'{one}'" for one in places(tree)), "        set at \"$at $word\"",
                  "    end"]
    lines += ["  end", "  test \"$at\" = \"$argv[1]\"", "end"]
    lines += [fish_option(name, None, option) for option in tree["options"]]
    for path, command in walk(tree):
        at = where(path)
        for one in command["commands"]:
            lines += [f"complete -c {name} -n \"__{name}_at '{at}'\" -f -a {one['name']} -d {quoted(one['about'])}"]
        if path:
            lines += [fish_option(name, at, option) for option in command["options"]]
    return "\n".join(lines) + "\n"


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
