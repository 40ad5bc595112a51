// What a scrape is put together from. Only for the files beside it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace tarn::server {

using Labels = std::vector<prometheus::ClientMetric::Label>;

inline double AsDouble(uint64_t value) { return static_cast<double>(value); }

// The families of one scrape, in the order in which they are added.
class Families {
 public:
  void Add(prometheus::MetricFamily family) { families_.push_back(std::move(family)); }

  prometheus::MetricFamily& Add(const char* name, const char* help, prometheus::MetricType type) {
    families_.push_back({name, help, type, {}});
    return families_.back();
  }

  void Gauge(const char* name, const char* help, double value, Labels labels = {}) {
    AddGauge(Add(name, help, prometheus::MetricType::Gauge), value, std::move(labels));
  }

  void Counter(const char* name, const char* help, double value) {
    AddCounter(Add(name, help, prometheus::MetricType::Counter), value, {});
  }

  static void AddGauge(prometheus::MetricFamily& family, double value, Labels labels) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }

  static void AddCounter(prometheus::MetricFamily& family, double value, Labels labels) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    family.metric.push_back(std::move(metric));
  }

  std::string Render() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace tarn::server
