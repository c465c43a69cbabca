// How samples are cut into slots and tiles, and the trees that join slot sums: against the tree as
// the definition has it, a recursion, bit by bit, and against a plain sum in long double.
#include "slots.h"

#include <algorithm>
#include <limits>

#include "check.h"
#include "curvature/gram_tree.h"
#include "vectors.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

// The sum of numbers [first, first + count) of `terms`, `count` a power of two.
double Joined(const Vector& terms, size_t first, size_t count) {
  if (count == 1) return terms[first];
  return Joined(terms, first, count / 2) + Joined(terms, first + count / 2, count / 2);
}

void TestCut() {
  for (const size_t samples : {1, 7, 8, 100, 1024, 2147483647}) {
    for (size_t count = 1; count <= std::min(samples, SlotCut::kMost); count *= 2) {
      const SlotCut slots(samples, count);
      CHECK(size_t{1} << slots.levels() == count, "%zu levels of %zu", slots.levels(), count);
      size_t end = 0;
      for (size_t k = 0; k < count; ++k) {
        const SampleRange slot = slots.At(k);
        CHECK(slot.first == end, "slot %zu of %zu begins at %zu, not %zu", k, count, slot.first,
              end);
        const size_t least = samples / count;
        CHECK(slot.count == least || slot.count == least + 1, "slot %zu of %zu has %zu of %zu", k,
              count, slot.count, samples);
        CHECK(slots.Of(slot.first) == k && slots.Of(slot.end() - 1) == k, "slot %zu of %zu", k,
              count);
        end = slot.end();
      }
      CHECK(end == samples, "%zu slots end at %zu of %zu", count, end, samples);
    }
  }
}

// The slots of a rank are those of all, counted from its first sample.
void TestShares() {
  for (const size_t samples : {16, 100, 1023, 2147483647}) {
    const SlotCut all(samples, 16);
    for (size_t count = 1; count <= 16; count *= 2) {
      for (size_t first = 0; first < 16; first += count) {
        const SlotCut here(samples, {16, first, count});
        CHECK(here.count() == count && here.all() == 16 && here.total() == samples, "the sizes");
        CHECK(here.begin() == all.At(first).first, "begins at %zu", here.begin());
        CHECK(here.samples() == all.At(first + count - 1).end() - here.begin(), "%zu samples",
              here.samples());
        CHECK(size_t{1} << here.levels() == count, "%zu levels of %zu", here.levels(), count);
        size_t largest = 0;
        for (size_t k = 0; k < count; ++k) {
          const SampleRange slot = here.At(k), same = all.At(first + k);
          CHECK(here.begin() + slot.first == same.first && slot.count == same.count,
                "slot %zu of %zu from %zu on", k, count, first);
          CHECK(here.Of(slot.first) == k && here.Of(slot.end() - 1) == k, "samples of slot %zu", k);
          largest = std::max(largest, slot.count);
        }
        CHECK(here.Largest() == largest, "the largest of %zu is %zu, not %zu", count, largest,
              here.Largest());
      }
    }
  }
}

void TestTiles() {
  std::vector<Tile> tiles;
  for (const size_t count : {1, 2, 8}) {
    const SlotCut slots(1000, count);
    for (const SampleRange range : {SampleRange{0, 1000}, SampleRange{slots.At(count / 2)}}) {
      CutTiles(slots, range, 96, &tiles);
      size_t end = range.first;
      for (const Tile& tile : tiles) {
        const SampleRange slot = slots.At(slots.Of(tile.first));
        CHECK(tile.first == end, "a tile at %zu after %zu", tile.first, end);
        CHECK(tile.end() <= slot.end(), "a tile in two slots");
        CHECK((tile.first - slot.first) % 96 == 0, "tiles begin with their slot");
        CHECK(tile.count == 96 || tile.end() == slot.end(), "a tile of %zu", tile.count);
        CHECK(tile.alone == (slot.count <= 96), "%zu samples alone", slot.count);
        end = tile.end();
      }
      CHECK(end == range.end(), "tiles end at %zu", end);
    }
  }
}

void TestVectorTree() {
  // Of terms of all sizes and both signs, so that another order of additions shows.
  for (const size_t length : {size_t{1}, size_t{37}, kLargeVector + 5}) {
    const bool large = length > 1000;
    for (size_t count = 1; count <= (large ? 4 : 64); count *= 2) {
      Draw draw(static_cast<unsigned>(length + count));
      std::vector<Vector> terms;
      for (size_t k = 0; k < count; ++k)
        terms.push_back(draw.Normals(length, std::pow(10.0, draw.Normal())));
      const Vector own = draw.Normals(length);  // what the sum begins with
      for (const int threads : {1, 3}) {
        SlotTree tree;
        CHECK(tree.Reserve({5 * count, count}, length, threads).ok(), "memory");
        CHECK(tree.bytes() == SlotCut(count, count).levels() * length * sizeof(double),
              "%zu bytes for %zu slots", tree.bytes(), count);
        // Twice: nothing of the first sum is left.
        for (int turn = 0; turn < 2; ++turn) {
          Vector sum = own;
          for (size_t k = 0; k < count; ++k) {
            for (size_t j = 0; j < length; ++j) sum[j] += terms[k][j];
            tree.Close(k, sum.data());
          }
          size_t different = 0, far = 0;
          for (size_t j = 0; j < length; ++j) {
            Vector column;
            long double plain = own[j], size = std::fabs(own[j]);
            for (size_t k = 0; k < count; ++k) {
              column.push_back(k == 0 ? own[j] + terms[k][j] : terms[k][j]);
              plain += terms[k][j];
              size += std::fabs(terms[k][j]);
            }
            different += sum[j] == Joined(column, 0, count) ? 0 : 1;
            // One rounding of at most `size` a level, and that of the first addition.
            const long double limit = static_cast<long double>(SlotCut(count, count).levels() + 1) *
                                      std::numeric_limits<double>::epsilon() * size;
            far += std::fabs(sum[j] - plain) <= limit ? 0 : 1;
          }
          CHECK(different == 0, "%zu of %zu sums of %zu slots differ from the tree", different,
                length, count);
          CHECK(far == 0, "%zu of %zu sums of %zu slots are far off", far, length, count);
        }
      }
    }
  }
}

void TestGramTree() {
  for (const size_t n : {1, 2, 33, 101}) {
    for (size_t count = 1; count <= 16; count *= 2) {
      Draw draw(static_cast<unsigned>(n + count));
      std::vector<Vector> terms;  // upper triangles, column after column
      for (size_t k = 0; k < count; ++k)
        terms.push_back(draw.Normals(n * (n + 1) / 2, std::pow(10.0, draw.Normal())));
      for (const int threads : {1, 3}) {
        SymmetricMatrix g;
        GramTree tree;
        CHECK(g.Reserve(n) && tree.Reserve({count, count}, {}, n).ok(), "memory");
        const size_t packed = count <= 2 ? 0 : SlotCut(count, count).levels() - 1;
        CHECK(tree.bytes() == packed * n * (n + 1) / 2 * sizeof(double), "%zu bytes", tree.bytes());
        for (size_t k = 0; k < count; ++k) {
          for (size_t j = 0; j < n; ++j)
            for (size_t i = 0; i <= j; ++i) g.at(i, j) = terms[k][j * (j + 1) / 2 + i];
          CHECK(tree.Close(k, threads, {}, &g).ok(), "join");
        }
        size_t different = 0;
        for (size_t j = 0; j < n; ++j)
          for (size_t i = 0; i <= j; ++i) {
            Vector column;
            for (const Vector& term : terms) column.push_back(term[j * (j + 1) / 2 + i]);
            different += g.at(i, j) == Joined(column, 0, count) ? 0 : 1;
          }
        CHECK(different == 0, "order %zu, %zu slots: %zu entries differ from the tree", n, count,
              different);
      }
    }
  }
  std::atomic<bool> flag{true};
  SymmetricMatrix g;
  GramTree tree;
  CHECK(g.Reserve(3) && tree.Reserve({2, 2}, {}, 3).ok(), "memory");
  CHECK(tree.Close(0, 1, {&flag, nullptr}, &g).code == Code::kCanceled, "canceled");
}

}  // namespace

int main() {
  TestCut();
  TestShares();
  TestTiles();
  TestVectorTree();
  TestGramTree();
  return Finish();
}
