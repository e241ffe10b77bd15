#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace par::core {

/// Writes the text format of Prometheus (version 0.0.4). All samples of a family follow its family().
class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `type` is counter, gauge or histogram.
  void family(std::string_view name, std::string_view type, std::string_view help);
  /// `name` is the family's, with its suffix for the parts of a histogram.
  void sample(std::string_view name, Labels labels, double value);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace par::core
