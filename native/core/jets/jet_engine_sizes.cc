// Implements the sizes of JetEngine (jet_engine.h): how points and rows are cut, and its bytes.
#include <algorithm>

#include "cost.h"
#include "jets/jet_engine.h"
#include "jets/jet_rows.h"

namespace gaussflow {

namespace {

// Rows of a block: the matrix is read and written once a block, and the block shares the last
// level of cache with it.
constexpr size_t kBlockRows = 512;
// Parts that a product with J^T is summed in.
constexpr size_t kSumParts = 32;

}  // namespace

std::vector<TilePlace> JetEngine::CutTiles(const Architecture& net,
                                           const std::vector<JetTerm>& terms) {
  std::vector<TilePlace> tiles;
  size_t row = 0;
  for (size_t t = 0; t < terms.size(); ++t) {
    const size_t points = terms[t].points;
    // Tiles of nearly the same size.
    const size_t parts = Parts(points, TilePoints(net, terms[t]));
    for (size_t part = 0; part < parts; ++part) {
      const size_t first = part * points / parts, count = (part + 1) * points / parts - first;
      tiles.push_back({t, first, count, row, tiles.size()});
      row += count * terms[t].residuals();
    }
  }
  return tiles;
}

std::vector<JetEngine::Block> JetEngine::CutBlocks(const std::vector<TilePlace>& tiles,
                                                   const std::vector<JetTerm>& terms) {
  std::vector<Block> blocks;
  for (size_t t = 0; t < tiles.size(); ++t) {
    const size_t rows = tiles[t].count * terms[tiles[t].term].residuals();
    if (blocks.empty() || blocks.back().rows + rows > kBlockRows)
      blocks.push_back({t, t, tiles[t].row, 0});
    blocks.back().end = t + 1;
    blocks.back().rows += rows;
  }
  return blocks;
}

size_t JetEngine::LargestBlock(const std::vector<Block>& blocks) {
  size_t rows = 0;
  for (const Block& block : blocks) rows = std::max(rows, block.rows);
  return rows;
}

size_t JetEngine::SumParts(size_t tiles) { return std::min(tiles, kSumParts); }

size_t JetEngine::SumSize(const Architecture& net, size_t unknowns) {
  return Parts(TransposeSize(net) + unknowns, 8) * 8;
}

size_t JetEngine::TileRoom(const Architecture& net, const std::vector<JetTerm>& terms) {
  size_t room = 0;
  for (const JetTerm& term : terms)
    room = std::max(room, JetTile::Doubles(net, term, TilePoints(net, term)));
  // What follows begins on a cache line.
  return Parts(room, 8) * 8;
}

size_t JetEngine::Room(const Architecture& net, const std::vector<JetTerm>& terms,
                       size_t unknowns) {
  return TileRoom(net, terms) + JetGram::kLines * JetRowSize(net.parameter_count + unknowns + 1);
}

double JetEngine::PointFlops(const JetChannels& channels) const {
  return static_cast<double>(channels.count()) * cost::Forward(net_, 1);
}

double JetEngine::PassFlops() const {
  double flops = 0.0;
  for (const JetTerm& term : terms_)
    flops += static_cast<double>(term.points) * PointFlops(term.channels);
  return flops;
}

double JetEngine::LinearizeFlops(bool curvature) const {
  // Back and the sums of products cost as much as forward.
  const double p = static_cast<double>(parameter_count());
  const double passes = 3.0 * PassFlops();
  return curvature ? passes + static_cast<double>(row_count_) * p * p : passes;
}

size_t JetEngine::bytes() const {
  size_t points = 0;
  for (const JetTerm& term : terms_) points += term.inputs.bytes() + term.auxiliary.bytes();
  return points + weights_.bytes() + direction_.bytes() + system_.bytes() + gram_.bytes() +
         room_.bytes() + sums_.bytes() +
         (squares_.capacity() + parameters_.capacity() + gradient_.capacity()) * sizeof(double);
}

Footprint JetEngine::EstimateBytes(const Architecture& net, const std::vector<JetTerm>& terms,
                                   size_t unknowns, int threads) {
  const std::vector<TilePlace> tiles = CutTiles(net, terms);
  const size_t p = net.parameter_count + unknowns, workers = static_cast<size_t>(threads);
  Footprint sum;
  for (const JetTerm& term : terms)
    sum.data += BytesOf<double>(term.InputDoubles(net.input_size) + term.AuxiliaryDoubles());
  const size_t half = SymmetricMatrix::Count(p) / 2;
  sum.curvature = BytesOf<double>(half);
  sum.factor = BytesOf<double>(half + DampedSystem::VectorCount(p));
  const size_t rows = LargestBlock(CutBlocks(tiles, terms));
  sum.workspaces =
      BytesOf<double>(JetGram::Doubles(p, rows, threads) + Room(net, terms, unknowns) * workers +
                      SumParts(tiles.size()) * SumSize(net, unknowns) + tiles.size() + 2 * p +
                      PackedWeights::Doubles(net, true) + PackedWeights::Doubles(net, false));
  return sum;
}

}  // namespace gaussflow
