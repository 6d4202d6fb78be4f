#include "model_embed.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/model/convert.h"
#include "valence/model/embedder.h"

namespace valence {
namespace {

struct ConvertCommand {
  std::string folder, out;
  ConvertOptions options;

  Result<void> run(const Session& session) const {
    if (!out.ends_with(".gguf")) return fail(ErrorCode::kUsage, "--out {}: should end in .gguf", out);
    VALENCE_TRY(const auto made, convert_bert(folder, out, options));
    if (session.json) {
      session.print({{"path", made.path.string()}, {"bytes", made.bytes}, {"parameters", made.parameters}, {"tensors", made.tensors},
                     {"tokens", made.tokens}, {"dimensions", made.dimensions}, {"token_limit", made.token_limit}, {"pooling", made.pooling}});
    } else {
      fmt::print("{}: {:.1f} MB, {} parameters in {} tensors, {} tokens, {} dimensions, {} pooling, {} tokens a text\n", made.path.string(),
                 static_cast<double>(made.bytes) / 1e6, with_thousands(made.parameters), made.tensors, with_thousands(made.tokens),
                 made.dimensions, made.pooling, made.token_limit);
    }
    return {};
  }
};

struct EmbedCommand {
  EmbedderSpec spec{.name = "minilm", .adapters = {}, .engine = {}};
  std::vector<std::string> texts;
  std::string file;
  bool raw = false;
  std::size_t from_token = 0;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto given, all_texts());
    auto wanted = spec;
    wanted.normalise = !raw;
    VALENCE_TRY(const auto embedder, open_embedder(wanted));
    const auto progress = session.progress();
    VALENCE_TRY(const auto table, embed(*embedder, requests_of(given), {session.stop, progress.get()}));
    show(session, embedder->card(), given, table);
    return {};
  }

  std::vector<EmbedRequest> requests_of(const std::vector<std::string>& given) const {
    std::vector<EmbedRequest> requests;
    for (const auto& text : given) {
      requests.push_back({text, {}, {}});
      if (from_token > 0) requests.back().spans.push_back({.begin = from_token});
    }
    return requests;
  }

  /// Those of --text, then the file's: one text a line, or of .jsonl the "text" of each line.
  Result<std::vector<std::string>> all_texts() const {
    auto all = texts;
    if (file.ends_with(".jsonl")) {
      VALENCE_TRY(const auto lines, read_jsonl(file));
      for (const auto& line : lines) {
        VALENCE_TRY(auto text, line.string_at("text"));
        all.push_back(std::move(text));
      }
    } else if (!file.empty()) {
      VALENCE_TRY(const auto content, read_file(file));
      VALENCE_CHECK(require_utf8(content, file));
      auto lines = split(content, "\n");
      if (lines.back().empty()) lines.pop_back();
      all.insert(all.end(), lines.begin(), lines.end());
    }
    if (all.empty()) return fail(ErrorCode::kUsage, "there is nothing to embed: give --text or --file (valence model embed --help)");
    return all;
  }

  static double cosine(std::span<const float> a, std::span<const float> b) {
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t d = 0; d < a.size(); ++d) {
      const double x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    return dot / std::sqrt(aa * bb);
  }

  static void show(const Session& session, const EmbedderCard& card, const std::vector<std::string>& texts, const EmbeddingTable& table) {
    if (session.json) return session.print(document(card, texts, table));
    fmt::print("{}: {} dimensions, {} pooling, at most {} tokens a text\n\n", card.name, card.dimensions, card.pooling,
               with_thousands(card.token_limit));
    TextTable rows({{"", Align::kRight}, {"tokens", Align::kRight}, {"cosine with 1", Align::kRight}, {"text", Align::kLeft}});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      rows.add({std::to_string(i + 1), fmt::format("{}{}", table.tokens[i], table.truncated[i] ? " (cut)" : ""),
                fmt::format("{:.4f}", cosine(table.row(0), table.row(i))), shortened(texts[i])});
    }
    fmt::print("{}\n  the vectors: --json\n", rows.text());
  }

  static std::string shortened(const std::string& text) {
    constexpr std::size_t kShown = 60;  // characters
    auto line = printable(replace_all(text, "\n", " "));
    if (code_points(line) <= kShown) return line;
    return line.substr(0, valid_utf8_prefix(line.substr(0, kShown))) + "…";
  }

  static Json document(const EmbedderCard& card, const std::vector<std::string>& texts, const EmbeddingTable& table) {
    Json document = {{"name", card.name}, {"identity", card.identity.hex()}, {"dimensions", card.dimensions}, {"pooling", card.pooling},
                     {"layer", card.layer}, {"normalised", card.normalised}, {"token_limit", card.token_limit},
                     {"facts", Json::object()}, {"embeddings", Json::array()}};
    for (const auto& [name, value] : card.facts) document["facts"][name] = value;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      document["embeddings"].push_back({{"text", texts[i]}, {"tokens", table.tokens[i]}, {"truncated", bool{table.truncated[i]}},
                                        {"vector", std::vector<float>(table.row(i).begin(), table.row(i).end())}});
    }
    return document;
  }
};

}  // namespace

void add_model_embed(CLI::App& model, Session& session) {
  auto convert = std::make_shared<ConvertCommand>();
  auto* make = model.add_subcommand("convert", "Turn a folder of a published BERT encoder (safetensors) into a GGUF file");
  make->add_option("folder", convert->folder, "folder with config.json, model.safetensors and the tokenizer")->required();
  make->add_option("--out", convert->out, "the GGUF file to write")->required();
  make->add_option("--format", convert->options.format, "format of the matrices")->check(CLI::IsMember({"f16", "f32"}))->capture_default_str();
  make->add_option("--pooling", convert->options.pooling, "how states become one vector; auto = as modules.json says")
      ->check(CLI::IsMember({"auto", "mean", "cls"}))->capture_default_str();
  make->add_option("--licence", convert->options.licence, "the weights' licence, written into the file");
  make->footer(examples({"valence model convert ./all-MiniLM-L6-v2 --out minilm.gguf", "valence model convert ./bert --out bert.gguf --pooling mean --format f32"}));
  make->callback([convert, &session] { session.finish(convert->run(session)); });

  auto embed = std::make_shared<EmbedCommand>();
  auto* vectors = model.add_subcommand("embed", "Turn texts into vectors, with an embedding model or a decoder's states");
  vectors->add_option("--model", embed->spec.name, "registry name, path or address of a GGUF file")->capture_default_str();
  vectors->add_option("--text", embed->texts, "a text; may be given several times")->allow_extra_args(false);
  vectors->add_option("--file", embed->file, "texts, one a line; of a .jsonl file the \"text\" of each line");
  vectors->add_option("--layer", embed->spec.layer, "of a decoder: mean of the states that leave this block; 0 = the last states")
      ->capture_default_str();
  vectors->add_option("--from-token", embed->from_token, "of a decoder: leave out this many tokens at the beginning; the first one's state often drowns the others")
      ->capture_default_str();
  vectors->add_flag("--raw", embed->raw, "vectors as they are, not scaled to length 1");
  vectors->add_option("--threads", embed->spec.engine.threads, "threads, 0 = the cores that this process may use")->capture_default_str();
  vectors->footer(examples({"valence model embed --model minilm --text \"an honest answer\" --text \"a lie\"",
                            "valence model embed --model smollm2 --layer 15 --from-token 1 --file texts.txt --json"}));
  vectors->callback([embed, &session] { session.finish(embed->run(session)); });
}

}  // namespace valence
