# Images of Tarn. `tarnd` (the default): daemon and command line, from the Debian packages that .ci/package
# makes. `demo`: a stream worker with a year of temperatures, for docker-compose.yml.
#
#   docker build -t tarn/tarnd:0.1.0 .
#
# tests/deploy/image_test.sh builds and runs it, without a container engine.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /src
# By themselves, so that a change of the sources does not install everything again.
COPY .ci/setup .ci/packages .ci/
RUN .ci/setup build
COPY . .
# A cache of ccache's that is mounted (/root/.cache/ccache) serves whichever folder it was filled from.
ENV CCACHE_BASEDIR=/src
# Which commit this is; there is no git here.
ARG TARN_COMMIT=unknown
# The time that everything in the packages bears, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
RUN TARN_COMMIT="$TARN_COMMIT" SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" .ci/package

# What both have: a user with a number that Kubernetes and volumes can rely on.
FROM ${BASE} AS base
RUN groupadd --system --gid 8276 tarn \
 && useradd --system --uid 8276 --gid tarn --home-dir /var/lib/tarn --no-create-home --shell /usr/sbin/nologin tarn

FROM base AS tarnd
RUN --mount=type=bind,from=build,source=/src/build/package,target=/packages \
    apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates /packages/tarnd_*.deb /packages/tarnctl_*.deb \
 && install -d -m 0700 -o tarn -g tarn /var/lib/tarn/checkpoints \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
ARG TARN_COMMIT=unknown
LABEL org.opencontainers.image.title="tarnd" \
      org.opencontainers.image.description="Tarn, a state store for stream processing" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${TARN_COMMIT}" \
      org.opencontainers.image.base.name="docker.io/library/debian:12-slim"
USER 8276:8276
# The one place that is written to: everything else may be read-only.
VOLUME /var/lib/tarn
ENV TARN_DATA_DIR=/var/lib/tarn
# gRPC; metrics and probes. As everywhere, tarnd listens on loopback only until it is told otherwise.
EXPOSE 8276 8277
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["tarnctl", "--timeout", "3s", "--retries", "0", "server", "health"]
ENTRYPOINT ["tarnd"]

FROM build AS build-demo
RUN cmake --build build/package --target window_worker window_report \
 && client/examples/fetch_data.sh temps /tmp/temps \
 && client/examples/make_event_log.py temps /tmp/temps >/tmp/events \
 && strip build/package/bin/window_worker build/package/bin/window_report

FROM base AS demo
RUN --mount=type=bind,from=build,source=/src/build/package,target=/packages \
    apt-get update \
 && apt-get install -y --no-install-recommends /packages/tarnctl_*.deb \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=build-demo /src/build/package/bin/window_worker /src/build/package/bin/window_report /usr/local/bin/
COPY --from=build-demo /tmp/events /usr/local/share/tarn/events
USER 8276:8276
ENTRYPOINT ["window_worker"]
CMD ["--log", "/usr/local/share/tarn/events", "--threshold", "650", "--gap", "64800"]

# What is built when no target is named.
FROM tarnd
