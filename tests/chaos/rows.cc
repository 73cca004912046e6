#include <algorithm>

#include "chaos/row.h"

namespace potok::chaos {

const std::vector<Row>& AllRows() {
  static const auto* const rows = [] {
    auto* all = new std::vector<Row>;
    for (const auto& group : {
             PlantedRows,
             ProcessRows,
             ZombieRows,
             PostgresRows,
             ContentionRows,
             FullDiskRows,
             RedisRows,
             NetworkRows,
             InputRows,
             NoticeRows,
             LoadRows,
             PoisonRows,
         }) {
      for (Row& row : group()) all->push_back(std::move(row));
    }
    std::sort(all->begin(), all->end(),
              [](const Row& a, const Row& b) { return a.number < b.number; });
    return all;
  }();
  return *rows;
}

}  // namespace potok::chaos
