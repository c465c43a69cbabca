// Implements the tree that joins the triangles of slots (triangle_tree.h).
#include "curvature/triangle_tree.h"

#include <algorithm>

#include "guarded.h"

namespace gaussflow {

size_t TriangleTree::Count(const SlotCut& slots, bool ranked, size_t p) {
  const size_t triangles = std::max<size_t>(slots.levels(), ranked ? 1 : 0);
  return Times(triangles, OrthogonalSystem::PackedCount(p));
}

Status TriangleTree::Reserve(const SlotCut& slots, bool ranked, size_t p) {
  slots_ = slots.count();
  const size_t count = Count(slots, ranked, p);
  return packed_.Reserve(count) ? Status::Ok() : Status::Memory(count * sizeof(double));
}

Status TriangleTree::Close(size_t slot, const Cancel& cancel, OrthogonalSystem* system) {
  if (slots_ == 1) return Status::Ok();
  const size_t joins = JoinsAfter(slot), count = OrthogonalSystem::PackedCount(system->p());
  for (size_t level = 0; level < joins; ++level) {
    const Status status = system->Join(packed_.data() + level * count, cancel);
    if (!status.ok()) return status;
  }
  if (slot + 1 == slots_) return Status::Ok();
  system->Pack(packed_.data() + joins * count);
  system->Empty();
  return Status::Ok();
}

Status TriangleTree::JoinRanks(const Ranks& ranks, OrthogonalSystem* system) {
  struct Node {
    OrthogonalSystem* system;
    Status status;
  } node = {system, {}};
  const auto combine = [](void* user, void* left, void* right) {
    Node* at = static_cast<Node*>(user);
    at->system->Unpack(static_cast<const double*>(right));
    // No exception may leave through the exchange. What is left behind a failure is not used.
    const Status status =
        Guarded([&] { return at->system->Join(static_cast<const double*>(left), {}); });
    if (at->status.ok()) at->status = status;
    at->system->Pack(static_cast<double*>(left));
  };
  system->Pack(packed_.data());
  const size_t bytes = OrthogonalSystem::PackedCount(system->p()) * sizeof(double);
  const Status status = ranks.JoinPart(packed_.data(), bytes, combine, &node);
  if (!status.ok()) return status;
  system->Unpack(packed_.data());
  return node.status;
}

}  // namespace gaussflow
