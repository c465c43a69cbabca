// Cuts the products of the Gram builder (gram_builder.h) into tasks, for the whole matrix or for
// some of its columns, and counts their bytes before they are made.
#include <algorithm>

#include "curvature/gram_builder.h"
#include "curvature/gram_tiles.h"
#include "sizes.h"
#include "thread_pool.h"

namespace gaussflow {

using namespace gram_tiles;

namespace {

// Splits `count` into equal parts of at most `most`, whole cache lines but the last.
size_t PartSize(size_t count, size_t most, size_t lanes) {
  const size_t parts = Parts(count, most);
  return RoundUp(Parts(count, parts), lanes);
}

size_t Triangle(size_t n) { return n * (n + 1) / 2; }

}  // namespace

template <typename T>
typename GramBuilder<T>::Block GramBuilder<T>::MakeBlock(size_t layer, size_t other) const {
  Block block{layer, other, {}, {}};
  const size_t c = net_.output_size;
  const size_t units = net_.layers[layer].outputs, other_units = net_.layers[other].outputs;
  const bool same = layer == other;
  const PairCounts pairs = Count(net_, layer, other);
  block.left.reserve(pairs.left_runs);
  block.right.reserve(pairs.right_runs);
  const auto add = [](std::vector<PairRun>* runs, PairRun run) {
    run.begin = PairCount(*runs);
    runs->push_back(run);
  };
  for (size_t p = 0; p < other_units; ++p) {
    if (same && net_.apart(layer)) {
      // Row a reaches only unit a of the last layer: pairs of different units vanish.
      add(&block.left, {0, 1, p, p, p, 0, p, 0, 1});
    } else if (net_.apart(other)) {
      // Only row p reaches unit p of the last layer.
      add(&block.left, {0, units, 0, p, p * units, 0, p, 0, 1});
    } else {
      add(&block.left, {0, same ? p + 1 : units, 0, p, 0, units, p, other_units, c});
    }
  }
  const size_t rights = net_.layers[layer].right_size();
  for (size_t q = 0; q < net_.layers[other].right_size(); ++q)
    add(&block.right, {0, same ? q + 1 : rights, 0, q, 0, 0, q, 0, 1});
  return block;
}

template <typename T>
typename GramBuilder<T>::PairCounts GramBuilder<T>::Count(const Architecture& net, size_t layer,
                                                          size_t other) {
  const size_t units = net.layers[layer].outputs, other_units = net.layers[other].outputs;
  const size_t inputs = net.layers[layer].right_size(), others = net.layers[other].right_size();
  if (layer != other) return {units * other_units, inputs * others, other_units, others};
  return {net.apart(layer) ? units : Triangle(units), Triangle(inputs), units, inputs};
}

template <typename T>
std::vector<typename GramBuilder<T>::Piece> GramBuilder<T>::PiecesOf(const Architecture& net,
                                                                     ColumnRange columns,
                                                                     size_t layer, size_t other) {
  const Layer& of = net.layers[other];
  const size_t weights_end = of.weight_offset + of.inputs * of.outputs;
  const size_t first = std::clamp(columns.first, of.weight_offset, weights_end);
  const size_t end = std::clamp(columns.end, of.weight_offset, weights_end);
  const size_t unit = (first - of.weight_offset) / of.inputs;
  const size_t unit_end = (end - of.weight_offset) / of.inputs;
  const bool biases =
      of.bias && columns.first <= of.bias_offset && of.bias_offset + of.outputs <= columns.end;
  // The first pair of unit p, and the first with input q of the other layer.
  const auto left = [&](size_t p) {
    if (layer != other) return p * net.layers[layer].outputs;
    return net.apart(layer) ? p : Triangle(p);
  };
  const auto right = [&](size_t q) {
    return layer == other ? Triangle(q) : q * net.layers[layer].right_size();
  };
  const size_t all = left(of.outputs), every = right(of.right_size()), weights = right(of.inputs);
  if (biases && unit == 0 && unit_end == of.outputs) return {{0, all, 0, every}};
  std::vector<Piece> pieces;
  if (unit < unit_end) pieces.push_back({left(unit), left(unit_end), 0, weights});
  if (biases) pieces.push_back({0, all, weights, every});
  return pieces;
}

template <typename T>
size_t GramBuilder<T>::CutTasks(const Architecture& net, ColumnRange columns, Room* room,
                                std::vector<Task>* tasks) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  size_t count = 0, block = 0;
  for (size_t l = 0; l < net.layers.size(); ++l) {
    for (size_t m = l; m < net.layers.size(); ++m, ++block) {
      for (const Piece& piece : PiecesOf(net, columns, l, m)) {
        const size_t lefts = piece.left_end - piece.left_begin;
        const size_t rights = piece.right_end - piece.right_begin;
        const size_t left_part = PartSize(lefts, kLeftBytes / sizeof(T), kLanes);
        const size_t right_part = PartSize(rights, kRightBytes / sizeof(T), kLanes);
        room->Raise(left_part, right_part);
        count += Parts(lefts, left_part) * Parts(rights, right_part);
        if (tasks == nullptr) continue;
        for (size_t i = piece.left_begin; i < piece.left_end; i += left_part)
          for (size_t j = piece.right_begin; j < piece.right_end; j += right_part)
            tasks->push_back({block, i, std::min(i + left_part, piece.left_end), j,
                              std::min(j + right_part, piece.right_end)});
      }
    }
  }
  return count;
}

template <typename T>
std::vector<ColumnRange> GramBuilder<T>::Groups(const Architecture& net, size_t room) {
  std::vector<ColumnRange> groups;
  const auto add = [&](size_t first, size_t end) {
    const bool fits = !groups.empty() && Times(end - groups.back().first, end) <= room;
    if (fits) {
      groups.back().end = end;
    } else {
      groups.push_back({first, end});
    }
  };
  for (const Layer& layer : net.layers) {
    for (size_t unit = 0; unit < layer.outputs; ++unit) {
      const size_t first = layer.weight_offset + unit * layer.inputs;
      add(first, first + layer.inputs);
    }
    if (layer.bias) add(layer.bias_offset, layer.bias_offset + layer.outputs);
  }
  return groups;
}

template <typename T>
size_t GramBuilder<T>::Room::Line() {
  return kLines * (std::max(kLeftBytes, kRightBytes) / sizeof(T) + TangentRows<T>::kLanes);
}

template <typename T>
void GramBuilder<T>::Room::Raise(size_t left_part, size_t right_part) {
  left = std::max(left, Shape<T>(left_part, kLeftWide).Size());
  right = std::max(right, Shape<T>(right_part, kRightWide).Size());
  values = std::max(values, left_part * right_part);
}

template <typename T>
double GramBuilder<T>::EstimateBytes(const Architecture& net, int threads, size_t count,
                                     const std::vector<ColumnRange>& groups) {
  size_t per_worker = 0, tasks = 0, runs = 0;
  for (const ColumnRange& group : groups) {
    Room room;
    tasks = std::max(tasks, CutTasks(net, group, &room, nullptr));
    per_worker = std::max(per_worker, room.PerWorker());
  }
  for (size_t l = 0; l < net.layers.size(); ++l)
    for (size_t m = l; m < net.layers.size(); ++m) {
      const PairCounts pairs = Count(net, l, m);
      runs += pairs.left_runs + pairs.right_runs;
    }
  const size_t scratch = count > 0 ? per_worker * static_cast<size_t>(threads) : 0;
  return TangentRows<T>::EstimateBytes(net, count) + BytesOf<T>(scratch) + BytesOf<Task>(tasks) +
         BytesOf<PairRun>(runs);
}

template <typename T>
void GramBuilder<T>::MakeTasks(ColumnRange columns) {
  std::vector<Block> blocks;
  if (blocks_.empty())
    for (size_t l = 0; l < net_.layers.size(); ++l)
      for (size_t m = l; m < net_.layers.size(); ++m) blocks.push_back(MakeBlock(l, m));
  Room room;
  std::vector<Task> tasks;
  // Room for the tasks of other columns is kept.
  tasks.reserve(std::max(tasks_.capacity(), CutTasks(net_, columns, &room, nullptr)));
  CutTasks(net_, columns, &room, &tasks);
  // Large tasks first, so that the threads end together.
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
    return (a.left_end - a.left_begin) * (a.right_end - a.right_begin) >
           (b.left_end - b.left_begin) * (b.right_end - b.right_begin);
  });
  // Nothing throws from here on: a list that ended early would make a wrong matrix at the next
  // call.
  if (blocks_.empty()) blocks_.swap(blocks);
  tasks_.swap(tasks);
  room_ = room;
  columns_ = columns;
}

template <typename T>
size_t GramBuilder<T>::bytes() const {
  size_t total = rows_.bytes() + scratch_.bytes() + tasks_.capacity() * sizeof(Task);
  for (const Block& block : blocks_)
    total += (block.left.capacity() + block.right.capacity()) * sizeof(PairRun);
  return total;
}

template std::vector<ColumnRange> GramBuilder<double>::Groups(const Architecture&, size_t);
template double GramBuilder<double>::EstimateBytes(const Architecture&, int, size_t,
                                                   const std::vector<ColumnRange>&);
template size_t GramBuilder<double>::Room::Line();
template void GramBuilder<double>::MakeTasks(ColumnRange);
template size_t GramBuilder<double>::bytes() const;
template double GramBuilder<float>::EstimateBytes(const Architecture&, int, size_t,
                                                  const std::vector<ColumnRange>&);
template size_t GramBuilder<float>::Room::Line();
template void GramBuilder<float>::MakeTasks(ColumnRange);
template size_t GramBuilder<float>::bytes() const;

}  // namespace gaussflow
