// SPDX-License-Identifier: GPL-3.0-or-later
// Lost data blocks x obey, for each parity block p at hand:  sum over lost l of c(p, l) · x[l]  =  parity[p] + sum over
// known k of c(p, k) · data[k]. As many equations as there are lost blocks are solved by inverting that small matrix, which costs
// the cube of the lost blocks instead of that of the whole stripe.
#include "image/parity_code.h"

#include <isa-l/erasure_code.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::size_t kZeroBytes = 256 * 1024;  // the largest block

// The library wants pointers to what it does not change.
unsigned char* plain(const std::byte* bytes) { return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes)); }

// Sums of products: `tables` has 32 bytes for each (output, source).
void apply(const std::vector<std::uint8_t>& tables, std::span<const std::byte* const> sources, std::span<std::byte* const> out,
           std::size_t bytes) {
  std::vector<unsigned char*> from, to;
  for (const std::byte* source : sources) from.push_back(plain(source));
  for (std::byte* target : out) to.push_back(plain(target));
  ec_encode_data(static_cast<int>(bytes), static_cast<int>(from.size()), static_cast<int>(to.size()),
                 const_cast<std::uint8_t*>(tables.data()), from.data(), to.data());
}

std::vector<std::uint8_t> tables_of(std::vector<std::uint8_t>& matrix, std::size_t sources, std::size_t outputs) {
  std::vector<std::uint8_t> tables(32 * sources * outputs);
  ec_init_tables(static_cast<int>(sources), static_cast<int>(outputs), matrix.data(), tables.data());
  return tables;
}

}  // namespace

ParityCode::ParityCode(std::uint32_t data, std::uint32_t parity) : data_(data), parity_(parity), zeros_(kZeroBytes) {
  std::vector<std::uint8_t> matrix;
  for (std::uint32_t p = 0; p < parity_; ++p)
    for (std::uint32_t k = 0; k < data_; ++k) matrix.push_back(coefficient(p, k));
  tables_ = tables_of(matrix, data_, parity_);
}

std::uint8_t ParityCode::coefficient(std::uint32_t parity, std::uint32_t data) const {
  return gf_inv(static_cast<unsigned char>((data_ + parity) ^ data));
}

void ParityCode::encode(std::span<const std::byte* const> data, std::span<std::byte* const> parity, std::size_t bytes) const {
  std::vector<const std::byte*> sources(data.begin(), data.end());
  std::replace(sources.begin(), sources.end(), static_cast<const std::byte*>(nullptr), zeros_.data());
  apply(tables_, sources, parity, bytes);
}

ParityCode::Recipe ParityCode::recipe(std::span<const std::uint32_t> lost, std::span<const std::uint32_t> sound_parity) const {
  const std::size_t n = lost.size();
  const std::span<const std::uint32_t> parity = sound_parity.first(n);
  std::vector<std::uint8_t> square, inverse(n * n);
  for (const std::uint32_t p : parity)
    for (const std::uint32_t l : lost) square.push_back(coefficient(p, l));
  // A square part of a Cauchy matrix can always be inverted.
  if (gf_invert_matrix(square.data(), inverse.data(), static_cast<int>(n)) != 0) __builtin_trap();
  Recipe out;
  out.lost.assign(lost.begin(), lost.end());
  for (std::uint32_t k = 0; k < data_; ++k)
    if (!std::ranges::binary_search(lost, k)) out.sources.push_back(k);
  const std::size_t known = out.sources.size();
  for (const std::uint32_t p : parity) out.sources.push_back(data_ + p);
  std::vector<std::uint8_t> matrix;
  for (std::size_t row = 0; row < n; ++row) {
    const std::uint8_t* factors = &inverse[row * n];
    for (std::size_t k = 0; k < known; ++k) {
      std::uint8_t sum = 0;
      for (std::size_t p = 0; p < n; ++p) sum ^= gf_mul(factors[p], coefficient(parity[p], out.sources[k]));
      matrix.push_back(sum);
    }
    matrix.insert(matrix.end(), factors, factors + n);
  }
  out.tables = tables_of(matrix, out.sources.size(), n);
  return out;
}

void ParityCode::rebuild(const Recipe& recipe, std::span<const std::byte* const> sources, std::span<std::byte* const> out,
                         std::size_t bytes) {
  apply(recipe.tables, sources, out, bytes);
}

}  // namespace tintype
