// valence align export: what a training left, in other forms.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "align.h"
#include "session.h"
#include "valence/align/training.h"
#include "valence/model/gguf_write.h"

namespace valence {
namespace {

struct ExportCommand {
  std::filesystem::path from;           ///< the folder, or the adapter in it
  std::string form = "merged", format;  ///< empty: f16
  std::filesystem::path out;

  Result<void> run(const Session& session) const;
};

Result<void> ExportCommand::run(const Session& session) const {
  std::error_code error;
  const auto folder = std::filesystem::is_regular_file(from, error) ? from.parent_path() : from;
  const bool merged = form == "merged";
  if (!merged && !format.empty())
    return fail(ErrorCode::kUsage, "--format {}: is of merged models; a PEFT folder is in F32", format);
  const auto file_format = format.empty() ? std::string("f16") : format;
  const auto to = out.empty() ? folder / (merged ? fmt::format("merged-{}.gguf", file_format) : "peft") : out;
  VALENCE_CHECK(export_training(folder, merged ? file_format : form, to, {session.stop, session.quiet}));
  if (session.json) {
    session.print({{"form", form}, {"format", merged ? Json(file_format) : Json()}, {"out", to.string()}});
    return {};
  }
  fmt::print("{}: {}\n", merged ? "merged model" : "PEFT folder", to.string());
  if (merged) fmt::print("next: valence measure INSTRUMENT --model {}\n", to.string());
  return {};
}

}  // namespace

void add_align_export(CLI::App& align, Session& session) {
  auto command = std::make_shared<ExportCommand>();
  auto* app = align.add_subcommand("export", "Write what a training left as a whole model (GGUF) or as a PEFT folder");
  app->add_option("folder", command->from, "folder that valence align left, or the adapter in it")->required();
  app->add_option("--as", command->form,
                  "merged: one GGUF file with everything in it; peft: a folder for Python's PEFT")
      ->check(CLI::IsMember({"merged", "peft"}))
      ->capture_default_str();
  app->add_option("--format", command->format, "file format of a merged model (default f16)")
      ->check(CLI::IsMember(file_formats()));
  app->add_option("-o,--out", command->out, "file or folder to write (default: in the training's own folder)");
  app->footer(examples({"valence align export out/align/dpo-smollm2-0123456789ab --format q8_0",
                        "valence align export out/align/dpo-smollm2-0123456789ab/adapter.gguf --as peft --out peft"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
