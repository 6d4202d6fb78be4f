#include "design.h"

namespace valence {
namespace {

template <class Scalar>
MatrixOf<Scalar> dense_copy(const FeatureMatrix& features, double scale) {
  MatrixOf<Scalar> matrix =
      MatrixOf<Scalar>::Zero(static_cast<Eigen::Index>(features.rows), static_cast<Eigen::Index>(features.columns));
  for (std::size_t row = 0; row < features.rows; ++row) {
    for (auto i = features.starts[row]; i < features.starts[row + 1]; ++i) {
      matrix(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(features.column[i])) =
          static_cast<Scalar>(scale * static_cast<double>(features.value[i]));
    }
  }
  return matrix;
}

template <class Sparse>
Sparse sparse_copy(const FeatureMatrix& features, double scale) {
  Sparse matrix(static_cast<Eigen::Index>(features.rows), static_cast<Eigen::Index>(features.columns));
  matrix.reserve(static_cast<Eigen::Index>(features.value.size()));
  for (std::size_t row = 0; row < features.rows; ++row) {
    const auto r = static_cast<Eigen::Index>(row);
    matrix.startVec(r);
    for (auto i = features.starts[row]; i < features.starts[row + 1]; ++i) {
      matrix.insertBack(r, static_cast<Eigen::Index>(features.column[i])) =
          static_cast<typename Sparse::Scalar>(scale * static_cast<double>(features.value[i]));
    }
  }
  matrix.finalize();
  return matrix;
}

template <class Scalar>
MatrixOf<Scalar> some_rows(const MatrixOf<Scalar>& data, const std::vector<Eigen::Index>& which) {
  return data(which, Eigen::all);
}

template <class Scalar>
Eigen::SparseMatrix<Scalar, Eigen::RowMajor> some_rows(const Eigen::SparseMatrix<Scalar, Eigen::RowMajor>& data,
                                                       const std::vector<Eigen::Index>& which) {
  using Sparse = Eigen::SparseMatrix<Scalar, Eigen::RowMajor>;
  Sparse part(static_cast<Eigen::Index>(which.size()), data.cols());
  for (std::size_t i = 0; i < which.size(); ++i) {
    part.startVec(static_cast<Eigen::Index>(i));
    for (typename Sparse::InnerIterator entry(data, which[i]); entry; ++entry) {
      part.insertBack(static_cast<Eigen::Index>(i), entry.col()) = entry.value();
    }
  }
  part.finalize();
  return part;
}

}  // namespace

template <class Scalar>
DesignMatrix<Scalar>::DesignMatrix(const FeatureMatrix& features, double scale) {
  if (features.is_dense()) {
    data_ = dense_copy<Scalar>(features, scale);
  } else {
    data_ = sparse_copy<Sparse>(features, scale);
  }
}

template <class Scalar>
Eigen::Index DesignMatrix<Scalar>::rows() const {
  return std::visit([](const auto& data) { return data.rows(); }, data_);
}

template <class Scalar>
Eigen::Index DesignMatrix<Scalar>::columns() const {
  return std::visit([](const auto& data) { return data.cols(); }, data_);
}

template <class Scalar>
MatrixOf<Scalar> DesignMatrix<Scalar>::times(const Dense& weights) const {
  return std::visit([&](const auto& data) { return Dense(data * weights); }, data_);
}

template <class Scalar>
MatrixOf<Scalar> DesignMatrix<Scalar>::transposed_times(const Dense& outputs) const {
  return std::visit([&](const auto& data) { return Dense(data.transpose() * outputs); }, data_);
}

template <class Scalar>
MatrixOf<Scalar> DesignMatrix<Scalar>::gram() const {
  return std::visit([](const auto& data) { return Dense(data * data.transpose()); }, data_);
}

template <class Scalar>
DesignMatrix<Scalar> DesignMatrix<Scalar>::rows_of(const std::vector<Eigen::Index>& which) const {
  return std::visit(
      [&](const auto& data) { return DesignMatrix(std::variant<Dense, Sparse>(some_rows<Scalar>(data, which))); },
      data_);
}

template class DesignMatrix<double>;
template class DesignMatrix<float>;

}  // namespace valence
