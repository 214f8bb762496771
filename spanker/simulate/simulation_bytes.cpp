#include "spanker/simulate/simulation_bytes.hpp"

#include <cstring>
#include <type_traits>

namespace spanker {
namespace {

class Writer {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void operator()(const std::string& text) {
    (*this)(text.size());
    bytes_ += text;
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    (*this)(values.size());
    if constexpr (std::is_trivially_copyable_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    } else {
      for (const T& value : values) (*this)(value);
    }
  }
  void operator()(const UnfinishedStep& step) { all(step.what, step.because); }
  void operator()(const SimulatedPass& pass) { all(pass.graph, pass.label); }
  void operator()(const LinkUse& use) { all(use.name, use.bytes, use.carrying, use.delay); }
  void operator()(const KindComparison& kind) { all(kind.kind, kind.times, kind.predicted, kind.simulated); }
  template <class... T>
  void all(const T&... values) {
    ((*this)(values), ...);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(T& value) {
    if (const char* from = take(sizeof value)) std::memcpy(&value, from, sizeof value);
  }
  void operator()(std::string& text) {
    const std::size_t size = count(1);
    if (const char* from = take(size)) text.assign(from, size);
  }
  template <class T>
  void operator()(std::vector<T>& values) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      const std::size_t size = count(sizeof(T));
      values.resize(size);
      if (const char* from = take(size * sizeof(T)); from != nullptr && size > 0) {
        std::memcpy(values.data(), from, size * sizeof(T));
      }
    } else {
      values.resize(count(1));
      for (T& value : values) (*this)(value);
    }
  }
  void operator()(UnfinishedStep& step) { all(step.what, step.because); }
  void operator()(SimulatedPass& pass) { all(pass.graph, pass.label); }
  void operator()(LinkUse& use) { all(use.name, use.bytes, use.carrying, use.delay); }
  void operator()(KindComparison& kind) { all(kind.kind, kind.times, kind.predicted, kind.simulated); }
  template <class... T>
  void all(T&... values) {
    ((*this)(values), ...);
  }
  bool read_it_all() const { return !failed_ && bytes_.empty(); }

 private:
  const char* take(std::size_t size) {
    if (failed_ || size > bytes_.size()) {
      failed_ = true;
      return nullptr;
    }
    const char* from = bytes_.data();
    bytes_.remove_prefix(size);
    return from;
  }
  /// A number of things of at least so many bytes each; 0 where there cannot be that many.
  std::size_t count(std::size_t bytes_each) {
    std::size_t size = 0;
    (*this)(size);
    if (size <= bytes_.size() / bytes_each) return size;
    failed_ = true;
    return 0;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

/// All that travels, in order.
template <class Visitor, class AnySimulation>
void visit(Visitor& visitor, AnySimulation& it) {
  visitor.all(it.outcome, it.unfinished, it.steps_done, it.steps_total, it.sends_repeated, it.collapsed,
              it.makespan, it.tokens_per_second, it.tokens_decoded, it.tokens_wanted, it.first_tokens,
              it.token_seconds, it.card_busy, it.links, it.compared_batch, it.kinds, it.shapes, it.passes,
              it.timeline.entries);
}

}  // namespace

std::string to_bytes(const Simulation& simulation) {
  Writer writer;
  visit(writer, simulation);
  return writer.take();
}

Result<Simulation> simulation_from(std::string_view bytes) {
  Simulation simulation;
  Reader reader(bytes);
  visit(reader, simulation);
  if (!reader.read_it_all()) return io_failure("simulate", "the simulator's answer is damaged");
  return simulation;
}

}  // namespace spanker
