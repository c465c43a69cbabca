// Decides the sizes of the buffers of products with J and G (products.h).
#include <algorithm>
#include <type_traits>

#include "products.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = Tangents::kTile;
template <typename T>
constexpr bool kSingle = std::is_same_v<T, float>;

}  // namespace

template <typename T>
typename ProductsOf<T>::Room ProductsOf<T>::RoomFor(const Architecture& net, size_t workers,
                                                    const Shape& shape) {
  const size_t width = UnitCount(net);
  const size_t n = shape.samples, deltas = shape.sums ? shape.group * width : 0;
  Room room;
  room.block = SweepBlock(n, net.input_size + 2 * width + deltas);
  room.kept = kSingle<T> || KeepsPanels(net, n, shape.from_file, 2 * width);
  room.stride = room.kept ? n : room.block;
  room.panels = 2 * width * room.stride;
  room.deltas = deltas * room.block;
  const size_t tile = 2 * net.max_outputs() * kTile;
  // A worker's part of an outer product, too, where it joins the others in double.
  room.scratch = (kSingle<T> ? std::max(tile, kMostOfPart * kMostOfPart) : tile) * workers;
  room.curved = shape.curved ? CurvatureScratch(net) * workers : 0;
  room.inputs = kSingle<T> ? net.input_size * n : 0;
  room.passes = kSingle<T> ? 3 * net.max_outputs() * kTile * workers : 0;
  return room;
}

template <typename T>
typename ProductsOf<T>::Shape ProductsOf<T>::GramShape(const Sizes& sizes) {
  // A subset is copied to memory.
  const bool from_file = sizes.file_width > 0 && sizes.formed.subset == 0;
  return {sizes.used(), from_file, 1, true, !sizes.net.loss.sum_of_squares()};
}

template <typename T>
size_t ProductsOf<T>::BlockSize(const Sizes& sizes) {
  return sizes.cut().LargestBlock(RoomFor(sizes.net, sizes.workers(), GramShape(sizes)).block);
}

template <typename T>
double ProductsOf<T>::EstimateBytes(const Sizes& sizes, bool run) {
  const size_t p = sizes.net.parameter_count;
  const double parameters = BytesOf<double>(p) + (kSingle<T> ? BytesOf<T>(p) : 0.0);
  if (!run) return parameters;
  const Room room = RoomFor(sizes.net, sizes.workers(), GramShape(sizes));
  const size_t directions = kSingle<T> ? p : 0;
  return parameters + BytesOf<T>(room.panels + room.deltas + room.scratch + room.inputs) +
         BytesOf<double>(room.curved + room.passes + 1) + BytesOf<T>(directions) +
         BytesOf<OuterPart>(OuterPartCount(sizes.net));
}

template <typename T>
Status ProductsOf<T>::Reserve(const Sweep& sweep, size_t group) {
  const bool sums = sweep.sums != nullptr;
  const Room room = RoomFor(net_, static_cast<size_t>(threads_),
                            {data_.sample_count, data_.from_file(), group, sums, Curved(sweep)});
  block_ = room.block;
  kept_ = room.kept;
  stride_ = room.stride;
  const auto reserve = [](auto* buffer, size_t count) {
    return buffer->Reserve(count) ? Status::Ok() : Status::Memory(count * sizeof(*buffer->data()));
  };
  if (panels_.size() < room.panels || inputs_.size() < room.inputs) valid_ = false;
  Status status = reserve(&panels_, room.panels);
  if (status.ok()) status = reserve(&deltas_, room.deltas);
  const size_t length = sweep.count * net_.parameter_count;
  if (status.ok() && sums) status = tree_.Reserve(data_.slots(), length, threads_);
  if (status.ok()) status = reserve(&scratch_, room.scratch);
  if (status.ok()) status = reserve(&curved_, room.curved);
  if (status.ok()) status = reserve(&inputs_, room.inputs);
  if (status.ok()) status = reserve(&passes_, room.passes);
  return status;
}

template <typename T>
void ProductsOf<T>::Layout() {
  if (!parts_.empty()) return;
  std::vector<size_t> input_row, slope_row, delta_row;
  std::vector<OuterPart> parts = CutOuterProducts(net_);
  size_t row = 0, width = 0;
  for (const Layer& layer : net_.layers) {
    input_row.push_back(row);  // of the layer's outputs: the next layer's inputs
    row += layer.outputs;
    slope_row.push_back(row);
    row += layer.outputs;
    delta_row.push_back(width);
    width += layer.outputs;
  }
  // Nothing throws from here on: parts that are missing would be missing in every later product.
  input_row_.swap(input_row);
  slope_row_.swap(slope_row);
  delta_row_.swap(delta_row);
  parts_.swap(parts);
  width_ = width;
}

template ProductsOf<double>::Room ProductsOf<double>::RoomFor(const Architecture&, size_t,
                                                              const Shape&);
template ProductsOf<double>::Shape ProductsOf<double>::GramShape(const Sizes&);
template size_t ProductsOf<double>::BlockSize(const Sizes&);
template double ProductsOf<double>::EstimateBytes(const Sizes&, bool);
template Status ProductsOf<double>::Reserve(const Sweep&, size_t);
template void ProductsOf<double>::Layout();
template ProductsOf<float>::Room ProductsOf<float>::RoomFor(const Architecture&, size_t,
                                                            const Shape&);
template ProductsOf<float>::Shape ProductsOf<float>::GramShape(const Sizes&);
template size_t ProductsOf<float>::BlockSize(const Sizes&);
template double ProductsOf<float>::EstimateBytes(const Sizes&, bool);
template Status ProductsOf<float>::Reserve(const Sweep&, size_t);
template void ProductsOf<float>::Layout();

}  // namespace gaussflow
