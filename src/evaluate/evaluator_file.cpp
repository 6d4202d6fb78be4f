#include "valence/evaluate/evaluator_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "state.h"
#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/evaluate/recipe.h"

namespace valence {
namespace {

static_assert(std::endian::native == std::endian::little, "evaluator files are little-endian");

constexpr std::string_view kMagic = "VALENCE EVALUATOR\n";
constexpr std::uint64_t kVersion = 3;
constexpr std::size_t kSealSize = 8;  // bytes of the digest at the end

// ---- writing

void put_number(std::uint64_t number, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_floats(const std::vector<float>& values, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

void put_head(const Head& head, std::string& bytes) {
  for (const auto& network : head.members) {
    for (const auto& layer : network.layers) {
      put_floats(layer.weights, bytes);
      put_floats(layer.bias, bytes);
    }
  }
}

std::string seal_of(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return {reinterpret_cast<const char*>(digest.bytes.data()), kSealSize};
}

Json part_json(const EvaluatorPart& part) {
  const auto& head = part.head;
  return {{"features", part.features},
          {"head", to_string(head.kind)},
          {"l2", head.l2},
          {"l2_grid", part.l2_grid},
          {"head_seed", head.seed},
          {"hidden", head.hidden},
          {"members", head.members},
          {"epochs", head.epochs},
          {"patience", head.patience},
          {"batch", head.batch},
          {"learning_rate", head.learning_rate},
          {"dropout", head.dropout},
          {"inner_share", head.inner_share}};
}

Json recipe_json(const EvaluatorRecipe& recipe) {
  Json parts = Json::array();
  for (const auto& part : recipe.parts) parts.push_back(part_json(part));
  return {{"parts", parts},
          {"sharpness", recipe.sharpness},
          {"sharpness_grid", recipe.sharpness_grid},
          {"seed", recipe.seed},
          {"inner_folds", recipe.inner_folds},
          {"threshold_goal", to_string(recipe.thresholds.goal)},
          {"own_from", recipe.thresholds.own_from}};
}

Json head_json(const Head& head) {
  Json members = Json::array();
  for (const auto& member : head.members) {
    Json layers = Json::array();
    for (const auto& layer : member.layers) layers.push_back({{"inputs", layer.inputs}, {"outputs", layer.outputs}});
    members.push_back(layers);
  }
  return {{"input_scale", head.input_scale},
          {"members", members},
          {"slope", head.slope},
          {"low_cut", head.low_cut},
          {"high_cut", head.high_cut}};
}

Json provenance_json(const EvaluatorProvenance& provenance) {
  Json responders = Json::object();
  for (const auto& [name, rows] : provenance.responders) responders[name] = rows;
  Json unseen = Json::array();
  for (const auto& [name, rows, read, labelled] : provenance.unseen)
    unseen.push_back({{"responder", name}, {"rows", rows}, {"read", read}, {"labelled", labelled}});
  return {{"data", provenance.data},       {"data_sha256", provenance.data_sha256}, {"rows", provenance.rows},
          {"prompts", provenance.prompts}, {"auxiliary", provenance.auxiliary},     {"program", provenance.program},
          {"responders", responders},      {"fitted_on", provenance.fitted_on},     {"unseen", unseen}};
}

Json member_json(const Evaluator::Member& member) {
  Json blocks = Json::array();
  for (const auto& block : member.blocks) blocks.push_back({{"family", block.family}, {"state", block.map->state()}});
  return {{"blocks", blocks}, {"head", head_json(member.head)}};
}

Json header_json(const Evaluator& evaluator) {
  Json members = Json::array();
  for (const auto& member : evaluator.members()) members.push_back(member_json(member));
  return {{"space", evaluator.space()},
          {"dimensions", evaluator.dimensions()},
          {"recipe", recipe_json(evaluator.recipe())},
          {"members", members},
          {"thresholds", {{"opposed", evaluator.thresholds().opposed}, {"upheld", evaluator.thresholds().upheld}}},
          {"provenance", provenance_json(evaluator.provenance())}};
}

// ---- reading

struct FileParts {
  Json header;
  std::string_view arrays;
};

std::uint64_t take_number(std::string_view& bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

Result<FileParts> open_parts(std::string_view bytes) {
  constexpr std::size_t kFixed = kMagic.size() + 2 * sizeof(std::uint64_t) + kSealSize;
  if (!bytes.starts_with(kMagic))
    return fail(ErrorCode::kCorrupt, "this is no evaluator; make one with valence evaluator train");
  if (bytes.size() < kFixed)
    return fail(ErrorCode::kCorrupt, "the file ends after {} bytes: a truncated copy", bytes.size());
  const auto sealed = bytes.substr(0, bytes.size() - kSealSize);
  auto rest = sealed.substr(kMagic.size());
  if (const auto version = take_number(rest); version != kVersion) {
    return fail(ErrorCode::kUnsupported,
                "the evaluator has format {}, this program reads {}; update valence or train it again", version,
                kVersion);
  }
  if (seal_of(sealed) != bytes.substr(sealed.size())) {
    return fail(ErrorCode::kCorrupt, "the evaluator's checksum does not fit its content: a truncated or damaged copy");
  }
  const auto header = take_number(rest);
  if (header > rest.size())
    return fail(ErrorCode::kCorrupt, "the header should have {} bytes, {} are left", header, rest.size());
  VALENCE_TRY(auto json, parse_json(rest.substr(0, header), "header"));
  return FileParts{std::move(json), rest.substr(header)};
}

Result<std::vector<float>> take_floats(std::string_view& bytes, std::size_t count) {
  if (count > bytes.size() / sizeof(float)) {
    return fail(ErrorCode::kCorrupt, "the head's weights end early: {} numbers were expected, {} are left", count,
                bytes.size() / sizeof(float));
  }
  std::vector<float> values(count);
  std::memcpy(values.data(), bytes.data(), count * sizeof(float));
  bytes.remove_prefix(count * sizeof(float));
  if (std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) return values;
  return fail(ErrorCode::kCorrupt, "a weight of the head is not a number");
}

Result<AffineLayer> read_layer(const Json& json, std::string_view& arrays) {
  AffineLayer layer;
  VALENCE_TRY(layer.inputs, state_count(json, "inputs"));
  VALENCE_TRY(layer.outputs, state_count(json, "outputs"));
  const auto available = arrays.size() / sizeof(float);
  if (layer.inputs == 0 || layer.outputs == 0 || layer.outputs > available / layer.inputs) {
    return fail(ErrorCode::kCorrupt, "a layer of {} by {} weights does not fit into the file", layer.inputs,
                layer.outputs);
  }
  VALENCE_TRY(layer.weights, take_floats(arrays, layer.inputs * layer.outputs));
  VALENCE_TRY(layer.bias, take_floats(arrays, layer.outputs));
  return layer;
}

/// Layers that fit each other, the features and the outputs that the head needs.
Result<void> check_shape(const Network& network, std::size_t inputs, std::size_t outputs) {
  for (const auto& layer : network.layers) {
    if (layer.inputs != inputs)
      return fail(ErrorCode::kCorrupt, "a layer takes {} inputs, expected {}", layer.inputs, inputs);
    inputs = layer.outputs;
  }
  if (!network.layers.empty() && inputs == outputs) return {};
  return fail(ErrorCode::kCorrupt, "the head gives {} outputs, expected {}", network.layers.empty() ? 0 : inputs,
              outputs);
}

Result<Head> read_head(const Json& json, HeadKind kind, std::size_t dims, std::size_t columns,
                       std::string_view& arrays) {
  Head head;
  head.kind = kind;
  head.dims = dims;
  VALENCE_TRY(const auto scale, state_number(json, "input_scale"));
  head.input_scale = static_cast<float>(scale);
  const auto cuts = head.is_ordered() ? dims : 0;
  VALENCE_TRY(head.slope, state_doubles(json, "slope", cuts));
  VALENCE_TRY(head.low_cut, state_doubles(json, "low_cut", cuts));
  VALENCE_TRY(head.high_cut, state_doubles(json, "high_cut", cuts));
  VALENCE_TRY(const auto members, state_member(json, "members"));
  for (const auto& layers : members) {
    Network network;
    for (const auto& layer : layers) {
      VALENCE_TRY(auto read, read_layer(layer, arrays));
      network.layers.push_back(std::move(read));
    }
    VALENCE_CHECK(check_shape(network, columns, head.is_ordered() ? dims : 2 * dims));
    head.members.push_back(std::move(network));
  }
  if (head.members.empty()) return fail(ErrorCode::kCorrupt, "the head has no weights");
  return head;
}

Result<HeadOptions> read_head_options(const Json& json) {
  HeadOptions options;
  VALENCE_TRY(const auto kind, state_string(json, "head"));
  VALENCE_TRY(options.kind, head_kind(kind));
  VALENCE_TRY(options.l2, state_number(json, "l2"));
  VALENCE_TRY(options.seed, state_count(json, "head_seed"));
  VALENCE_TRY(options.hidden, state_count(json, "hidden"));
  VALENCE_TRY(options.members, state_count(json, "members"));
  VALENCE_TRY(options.epochs, state_count(json, "epochs"));
  VALENCE_TRY(options.patience, state_count(json, "patience"));
  VALENCE_TRY(options.batch, state_count(json, "batch"));
  VALENCE_TRY(options.learning_rate, state_number(json, "learning_rate"));
  VALENCE_TRY(options.dropout, state_number(json, "dropout"));
  VALENCE_TRY(options.inner_share, state_number(json, "inner_share"));
  return options;
}

Result<EvaluatorPart> read_part(const Json& json) {
  EvaluatorPart part;
  VALENCE_TRY(part.features, state_strings(json, "features"));
  VALENCE_TRY(part.head, read_head_options(json));
  VALENCE_TRY(const auto grid, state_member(json, "l2_grid"));
  VALENCE_TRY(part.l2_grid, state_doubles(json, "l2_grid", grid.size()));
  return part;
}

Result<EvaluatorRecipe> read_recipe(const Json& json) {
  EvaluatorRecipe recipe;
  recipe.parts.clear();
  VALENCE_TRY(const auto parts, state_member(json, "parts"));
  for (const auto& entry : parts) {
    VALENCE_TRY(auto part, read_part(entry));
    recipe.parts.push_back(std::move(part));
  }
  VALENCE_TRY(recipe.sharpness, state_number(json, "sharpness"));
  if (recipe.sharpness <= 0.0) return fail(ErrorCode::kCorrupt, "\"sharpness\" is {}, not above 0", recipe.sharpness);
  VALENCE_TRY(const auto grid, state_member(json, "sharpness_grid"));
  VALENCE_TRY(recipe.sharpness_grid, state_doubles(json, "sharpness_grid", grid.size()));
  VALENCE_TRY(recipe.seed, state_count(json, "seed"));
  VALENCE_TRY(recipe.inner_folds, state_count(json, "inner_folds"));
  VALENCE_TRY(const auto goal, state_string(json, "threshold_goal"));
  VALENCE_TRY(recipe.thresholds.goal, tuning_goal(goal));
  VALENCE_TRY(recipe.thresholds.own_from, state_count(json, "own_from"));
  return recipe;
}

Result<std::vector<Evaluator::Block>> read_blocks(const Json& json, const FeatureFamilies& families) {
  std::vector<Evaluator::Block> blocks;
  for (const auto& entry : json) {
    VALENCE_TRY(const auto id, state_string(entry, "family"));
    VALENCE_TRY(const auto family, find_family(families, id));
    VALENCE_TRY(const auto state, state_member(entry, "state"));
    auto map = family->restore(state);
    if (!map) return tl::unexpected(with_context(map.error(), fmt::format("features {}", id)));
    blocks.push_back({id, std::move(*map)});
  }
  return blocks;
}

Result<std::vector<UnseenResponder>> read_unseen(const Json& json, std::size_t dims) {
  std::vector<UnseenResponder> all;
  for (const auto& entry : json) {
    UnseenResponder unseen;
    VALENCE_TRY(unseen.responder, state_string(entry, "responder"));
    VALENCE_TRY(unseen.rows, state_count(entry, "rows"));
    VALENCE_TRY(unseen.read, state_doubles(entry, "read", dims * kLabelClasses));
    VALENCE_TRY(unseen.labelled, state_doubles(entry, "labelled", dims * kLabelClasses));
    all.push_back(std::move(unseen));
  }
  return all;
}

Result<EvaluatorProvenance> read_provenance(const Json& json, std::size_t dims) {
  EvaluatorProvenance provenance;
  VALENCE_TRY(provenance.data, state_string(json, "data"));
  VALENCE_TRY(provenance.data_sha256, state_string(json, "data_sha256"));
  VALENCE_TRY(provenance.rows, state_count(json, "rows"));
  VALENCE_TRY(provenance.prompts, state_count(json, "prompts"));
  VALENCE_TRY(provenance.auxiliary, state_count(json, "auxiliary"));
  VALENCE_TRY(provenance.program, state_string(json, "program"));
  VALENCE_TRY(provenance.fitted_on, state_strings(json, "fitted_on"));
  if (!std::is_sorted(provenance.fitted_on.begin(), provenance.fitted_on.end()))
    return fail(ErrorCode::kCorrupt, "\"fitted_on\" is not sorted");
  VALENCE_TRY(const auto responders, state_member(json, "responders"));
  for (const auto& [name, rows] : responders.items()) {
    VALENCE_TRY(const auto count, state_count(responders, name));
    provenance.responders.emplace_back(name, count);
  }
  VALENCE_TRY(const auto unseen, state_member(json, "unseen"));
  VALENCE_TRY(provenance.unseen, read_unseen(unseen, dims));
  return provenance;
}

Result<Evaluator::Member> read_member(const Json& json, HeadKind kind, std::size_t dims,
                                      const FeatureFamilies& families, std::string_view& arrays) {
  Evaluator::Member member;
  VALENCE_TRY(const auto blocks, state_member(json, "blocks"));
  VALENCE_TRY(member.blocks, read_blocks(blocks, families));
  VALENCE_TRY(const auto head, state_member(json, "head"));
  VALENCE_TRY(member.head, read_head(head, kind, dims, member.columns(), arrays));
  return member;
}

Result<std::vector<Evaluator::Member>> read_members(const Json& json, const EvaluatorRecipe& recipe, std::size_t dims,
                                                    const FeatureFamilies& families, std::string_view arrays) {
  if (json.size() != recipe.parts.size() || !json.is_array() || json.empty()) {
    return fail(ErrorCode::kCorrupt, "\"members\" has {} entries, the recipe {} parts", json.size(),
                recipe.parts.size());
  }
  std::vector<Evaluator::Member> members;
  for (std::size_t i = 0; i < recipe.parts.size(); ++i) {
    VALENCE_TRY(auto member, read_member(json[i], recipe.parts[i].head.kind, dims, families, arrays));
    members.push_back(std::move(member));
  }
  if (!arrays.empty()) return fail(ErrorCode::kCorrupt, "{} bytes follow the heads' weights", arrays.size());
  return members;
}

Result<Evaluator> read_parts(const FileParts& parts, const FeatureFamilies& families) {
  const auto& header = parts.header;
  VALENCE_TRY(auto space, state_string(header, "space"));
  VALENCE_TRY(auto dimensions, state_strings(header, "dimensions"));
  VALENCE_TRY(const auto recipe_member, state_member(header, "recipe"));
  VALENCE_TRY(auto recipe, read_recipe(recipe_member));
  VALENCE_TRY(const auto thresholds_member, state_member(header, "thresholds"));
  Thresholds thresholds;
  VALENCE_TRY(thresholds.opposed, state_doubles(thresholds_member, "opposed", dimensions.size()));
  VALENCE_TRY(thresholds.upheld, state_doubles(thresholds_member, "upheld", dimensions.size()));
  VALENCE_TRY(const auto provenance_member, state_member(header, "provenance"));
  VALENCE_TRY(auto provenance, read_provenance(provenance_member, dimensions.size()));
  VALENCE_TRY(const auto member_entries, state_member(header, "members"));
  VALENCE_TRY(auto members, read_members(member_entries, recipe, dimensions.size(), families, parts.arrays));
  return Evaluator(std::move(space), std::move(dimensions), std::move(recipe), std::move(members),
                   std::move(thresholds), std::move(provenance));
}

Result<EvaluatorNeeds> needs_of(std::string_view bytes) {
  VALENCE_TRY(const auto parts, open_parts(bytes));
  EvaluatorNeeds needs;
  VALENCE_TRY(needs.space, state_string(parts.header, "space"));
  VALENCE_TRY(const auto member, state_member(parts.header, "recipe"));
  VALENCE_TRY(const auto recipe, read_recipe(member));
  needs.features = recipe.features();
  return needs;
}

Result<Evaluator> decode(std::string_view bytes, const FeatureFamilies& families) {
  VALENCE_TRY(const auto parts, open_parts(bytes));
  return read_parts(parts, families);
}

}  // namespace

std::string recipe_text(const EvaluatorRecipe& recipe) { return to_text(recipe_json(recipe)); }

std::string encode_evaluator(const Evaluator& evaluator) {
  const auto header = to_text(header_json(evaluator));
  std::string bytes(kMagic);
  put_number(kVersion, bytes);
  put_number(header.size(), bytes);
  bytes += header;
  for (const auto& member : evaluator.members()) put_head(member.head, bytes);
  return bytes + seal_of(bytes);
}

Result<Evaluator> decode_evaluator(std::string_view bytes, std::string_view name, const FeatureFamilies& families) {
  auto evaluator = decode(bytes, families);
  if (!evaluator) return tl::unexpected(with_context(evaluator.error(), name));
  return evaluator;
}

Result<EvaluatorNeeds> evaluator_needs(const std::filesystem::path& path) {
  VALENCE_TRY(const auto bytes, read_file(path));
  auto needs = needs_of(bytes);
  if (!needs) return tl::unexpected(with_context(needs.error(), path.string()));
  return needs;
}

Result<void> save_evaluator(const Evaluator& evaluator, const std::filesystem::path& path) {
  return write_file(path, encode_evaluator(evaluator));
}

Result<Evaluator> load_evaluator(const std::filesystem::path& path, const FeatureFamilies& families) {
  VALENCE_TRY(const auto bytes, read_file(path));
  return decode_evaluator(bytes, path.string(), families);
}

}  // namespace valence
