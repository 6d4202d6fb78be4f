#include <array>
#include <cctype>
#include <utility>

#include "filter_tree.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kDeepest = 100;  // parentheses and `not`s inside each other

constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons = {{{"==", Comparison::kEqual},
                                                                                  {"!=", Comparison::kUnequal},
                                                                                  {"<=", Comparison::kAtMost},
                                                                                  {">=", Comparison::kAtLeast},
                                                                                  {"<", Comparison::kBelow},
                                                                                  {">", Comparison::kAbove}}};

bool starts_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool in_word(char c) { return starts_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; }
bool in_number(char c) { return in_word(c) || c == '-' || c == '+'; }

/// Recursive descent, one function per rule of the grammar in filter.h.
class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : text_(text) {}

  Result<FilterNode> whole() {
    VALENCE_TRY(auto node, any_of());
    skip_space();
    if (at_ < text_.size()) return wrong("\"and\", \"or\" or the end");
    return node;
  }

 private:
  Result<FilterNode> any_of() {
    VALENCE_TRY(auto left, all_of());
    while (take_word("or")) {
      VALENCE_TRY(auto right, all_of());
      left = joined(FilterNode::Kind::kOr, std::move(left), std::move(right));
    }
    return left;
  }

  Result<FilterNode> all_of() {
    VALENCE_TRY(auto left, one_of());
    while (take_word("and")) {
      VALENCE_TRY(auto right, one_of());
      left = joined(FilterNode::Kind::kAnd, std::move(left), std::move(right));
    }
    return left;
  }

  Result<FilterNode> one_of() {
    if (++depth_ > kDeepest) return fail(ErrorCode::kUsage, "filter: nested more than {} deep", kDeepest);
    auto node = inner();
    --depth_;
    return node;
  }

  Result<FilterNode> inner() {
    if (take_word("not")) {
      VALENCE_TRY(auto child, one_of());
      FilterNode node;
      node.kind = FilterNode::Kind::kNot;
      node.children.push_back(std::move(child));
      return node;
    }
    if (!take("(")) return comparison();
    VALENCE_TRY(auto node, any_of());
    if (!take(")")) return wrong("\")\"");
    return node;
  }

  Result<FilterNode> comparison() {
    FilterNode node;
    node.column = word();
    if (node.column.empty()) return wrong("the name of a column");
    if (take_word("in")) return list_of(std::move(node));
    for (const auto& [sign, comparison] : kComparisons) {
      if (!take(sign)) continue;
      node.comparison = comparison;
      const auto before = at_;
      VALENCE_TRY(auto value, this->value());
      const bool ordered = comparison != Comparison::kEqual && comparison != Comparison::kUnequal;
      if (ordered && std::holds_alternative<std::string>(value)) {
        at_ = before;
        return wrong(fmt::format("a number after \"{}\"; texts have == and !=", sign));
      }
      node.values.push_back(std::move(value));
      return node;
    }
    return wrong("==, !=, <, <=, >, >= or in");
  }

  Result<FilterNode> list_of(FilterNode node) {
    node.kind = FilterNode::Kind::kIn;
    if (!take("(")) return wrong("\"(\" after \"in\"");
    do {
      VALENCE_TRY(auto value, this->value());
      node.values.push_back(std::move(value));
    } while (take(","));
    if (!take(")")) return wrong("\",\" or \")\"");
    return node;
  }

  Result<FilterValue> value() {
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted();
    const auto start = at_;
    while (at_ < text_.size() && in_number(text_[at_])) ++at_;
    const auto number = parse_number(text_.substr(start, at_ - start), "filter");
    if (number) return *number;
    at_ = start;
    return wrong("a number, or a text in quotes");
  }

  Result<FilterValue> quoted() {
    const auto end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return wrong("a closing quote for the text that begins here");
    const auto text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return FilterValue(std::string(text));
  }

  static FilterNode joined(FilterNode::Kind kind, FilterNode left, FilterNode right) {
    FilterNode node;
    node.kind = kind;
    node.children.push_back(std::move(left));
    node.children.push_back(std::move(right));
    return node;
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool take(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  std::string word() {
    skip_space();
    const auto start = at_;
    if (at_ < text_.size() && starts_word(text_[at_])) {
      while (at_ < text_.size() && in_word(text_[at_])) ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  bool take_word(std::string_view wanted) {
    const auto start = at_;
    if (word() == wanted) return true;
    at_ = start;
    return false;
  }

  tl::unexpected<Error> wrong(std::string_view expected) {
    skip_space();
    const auto rest = text_.substr(at_);
    const auto found =
        rest.empty() ? "the end" : "\"" + printable(rest.substr(0, valid_utf8_prefix(rest.substr(0, 20)))) + "\"";
    return fail(ErrorCode::kUsage, "filter, character {}: expected {}, found {}", at_ + 1, expected, found);
  }

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0;
};

}  // namespace

Result<FilterNode> parse_filter(std::string_view text) { return FilterParser(text).whole(); }

}  // namespace valence
