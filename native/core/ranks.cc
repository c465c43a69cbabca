// Implements the joins with the sums of other processes (ranks.h).
#include "ranks.h"

#include <cstring>

namespace gaussflow {

namespace {

// What ranks agree on. The first byte is not 0 where there is a failure.
struct Record {
  uint8_t failed;
  uint8_t code;
  uint32_t rank;
  uint64_t value;
};
static_assert(sizeof(Record) <= kMostOfRecord);

}  // namespace

Status Ranks::Agree(const Status& status) const {
  if (alone() || status.agreed) return status;
  Record record;
  std::memset(&record, 0, sizeof(record));
  if (!status.ok())
    record = {1, static_cast<uint8_t>(status.code), calls_->rank, uint64_t{status.value}};
  if (calls_->first(calls_->context, &record, sizeof(record)) != 0) return Status::Unreachable();
  if (record.failed == 0) return Status::Ok();
  Status agreed = {static_cast<Code>(record.code), static_cast<size_t>(record.value)};
  agreed.agreed = true;
  if (record.rank != calls_->rank) agreed.elsewhere = static_cast<int>(record.rank);
  return agreed;
}

Status Ranks::SumPart(double* values, size_t count) const {
  if (alone() || calls_->sum(calls_->context, values, count) == 0) return Status::Ok();
  return Status::Unreachable();
}

Status Ranks::Sum(double* values, size_t count) const {
  const Status status = Agree(Status::Ok());
  return status.ok() ? SumPart(values, count) : status;
}

Status Ranks::JoinPart(void* values, size_t bytes, ExchangeCombine combine, void* user) const {
  if (alone() || calls_->join(calls_->context, values, bytes, combine, user) == 0)
    return Status::Ok();
  return Status::Unreachable();
}

Status Ranks::Total(double* values, size_t count) const {
  const Status status = Agree(Status::Ok());
  if (alone() || !status.ok()) return status;
  return calls_->total(calls_->context, values, count) == 0 ? status : Status::Unreachable();
}

Status Ranks::Mirror(const ExchangeMatrix& matrix, double* local) const {
  if (alone() || calls_->mirror == nullptr) return Status::Misuse();
  const Status status = Agree(Status::Ok());
  if (!status.ok()) return status;
  return calls_->mirror(calls_->context, &matrix, local) == 0 ? status : Status::Unreachable();
}

Status Ranks::Factor(const ExchangeMatrix& matrix, double* local) const {
  if (alone() || calls_->factor == nullptr) return Status::Misuse();
  const Status status = Agree(Status::Ok());
  if (!status.ok()) return status;
  uint64_t pivot = 0;
  if (calls_->factor(calls_->context, &matrix, local, &pivot) != 0) return Status::Unreachable();
  return pivot == 0 ? status : Status::Indefinite(static_cast<size_t>(pivot) - 1);
}

Status Ranks::Solve(const ExchangeMatrix& matrix, const double* local, double* x) const {
  if (alone() || calls_->solve == nullptr) return Status::Misuse();
  const Status status = Agree(Status::Ok());
  if (!status.ok()) return status;
  return calls_->solve(calls_->context, &matrix, local, x) == 0 ? status : Status::Unreachable();
}

}  // namespace gaussflow
