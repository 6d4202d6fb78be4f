#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <variant>
#include <vector>

#include "valence/evaluate/features.h"

namespace valence {

template <class Scalar>
using MatrixOf = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Matrix = MatrixOf<double>;
using Vector = Eigen::VectorXd;

/// Features as a matrix to calculate with: dense where most entries are there, sparse elsewhere; scaled. For double and
/// float.
template <class Scalar>
class DesignMatrix {
 public:
  using Dense = MatrixOf<Scalar>;
  using Sparse = Eigen::SparseMatrix<Scalar, Eigen::RowMajor>;

  explicit DesignMatrix(const FeatureMatrix& features, double scale = 1.0);

  Eigen::Index rows() const;
  Eigen::Index columns() const;
  Dense times(const Dense& weights) const;             ///< X·W
  Dense transposed_times(const Dense& outputs) const;  ///< Xᵀ·G
  Dense gram() const;                                  ///< X·Xᵀ
  DesignMatrix rows_of(const std::vector<Eigen::Index>& which) const;

 private:
  explicit DesignMatrix(std::variant<Dense, Sparse> data) : data_(std::move(data)) {}
  std::variant<Dense, Sparse> data_;
};

extern template class DesignMatrix<double>;
extern template class DesignMatrix<float>;

}  // namespace valence
