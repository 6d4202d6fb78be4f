#include "valence/net/download.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/http_server.h"
#include "support/scratch.h"

namespace valence {
namespace {

using namespace std::chrono_literals;
using testing::content_of;
using testing::file_handler;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using testing::Scratch;

DownloadOptions quick() {
  DownloadOptions options;
  options.first_wait = 1ms;
  options.longest_wait = 2000ms;
  options.attempts = 3;
  return options;
}

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131 + i / 251) % 256);
  return bytes;
}

/// Counts what it is told.
struct Counter : Progress {
  std::size_t total = 0, done = 0;
  bool finished = false;
  void start(std::string_view, std::size_t all, std::string_view) override { total = all; }
  void advance(std::size_t count) override { done += count; }
  void note(std::string_view) override {}
  void finish() override { finished = true; }
};

TEST(Download, WritesTheFileWholeAndLeavesNothingElse) {
  const auto content = some_bytes(300'000);
  HttpServer server(file_handler(content));
  const Scratch scratch;
  Counter counter;
  auto options = quick();
  options.size = content.size();
  options.sha256 = sha256(content);
  options.progress = &counter;
  const auto done = download(server.url("/model.gguf"), scratch / "deep/model.gguf", options);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->size, content.size());
  EXPECT_EQ(done->sha256, sha256(content));
  EXPECT_EQ(done->resumed, 0U);
  EXPECT_EQ(content_of(scratch / "deep/model.gguf"), content);
  EXPECT_EQ(counter.done, content.size());
  EXPECT_TRUE(counter.finished);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "deep"), {}), 1);
}

TEST(Download, AnEmptyFileIsAFile) {
  HttpServer server(file_handler(""));
  const Scratch scratch;
  const auto done = download(server.url(), scratch / "empty", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(std::filesystem::exists(scratch / "empty"));
  EXPECT_EQ(done->sha256.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Download, GoesOnWhereACutConnectionStopped) {
  const auto content = some_bytes(100'000);
  HttpServer server(file_handler(content, "\"v1\"", [](HttpReply& reply, std::size_t request) {
    if (request < 5) reply.cut_after = 10'000;
  }));
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(scratch / "a"), content);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 6U);  // more than `attempts`: each brought something new
  EXPECT_EQ(requests[0].header("range"), "");
  EXPECT_EQ(requests[1].header("range"), "bytes=10000-");
  EXPECT_EQ(requests[1].header("if-range"), "\"v1\"");
  EXPECT_EQ(requests[5].header("range"), "bytes=50000-");
}

TEST(Download, ALaterCallGoesOnWithWhatWasKept) {
  const auto content = some_bytes(100'000);
  bool broken = true;
  HttpServer server(file_handler(content, "\"v1\"", [&](HttpReply& reply, std::size_t request) {
    if (broken && request == 0) reply.cut_after = 60'000;
    if (broken && request > 0) reply = {.status = 503};
  }));
  const Scratch scratch;
  const auto path = scratch / "a";
  const auto first = download(server.url("/a"), path, quick());
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(first.error().message, "127.0.0.1: status 503 after 3 attempts; 60,000 of 100,000 bytes are kept in " +
                                       path.string() + ".part. Run the same command to go on");
  EXPECT_FALSE(std::filesystem::exists(path));
  broken = false;
  Counter counter;
  auto options = quick();
  options.progress = &counter;
  const auto second = download(server.url("/a"), path, options);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->resumed, 60'000U);
  EXPECT_EQ(counter.total, 100'000U);
  EXPECT_EQ(counter.done, 100'000U);
  EXPECT_EQ(content_of(path), content);
}

TEST(Download, AFileThatChangedMeanwhileIsFetchedFromItsBeginning) {
  const auto old = some_bytes(50'000);
  const auto renewed = std::string(70'000, 'n');
  const Scratch scratch;
  testing::put_file(scratch / "a.part", old.substr(0, 30'000));
  HttpServer server(file_handler(renewed, "\"v2\""));
  testing::put_file(scratch / "a.part.json",
                    R"({"url":")" + server.url("/a") + R"(","version":"\"v1\"","total":50000})");
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(scratch / "a"), renewed);
  EXPECT_EQ(server.requests().at(0).header("if-range"), "\"v1\"");
}

TEST(Download, APartOfAnotherAddressIsNotGoneOnWith) {
  const auto content = some_bytes(50'000);
  HttpServer server(file_handler(content));
  const Scratch scratch;
  testing::put_file(scratch / "a.part", std::string(30'000, 'x'));
  testing::put_file(scratch / "a.part.json", R"({"url":"http://127.0.0.1/other","version":"\"v1\"","total":50000})");
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(scratch / "a"), content);
  EXPECT_EQ(server.requests().at(0).header("range"), "");
}

TEST(Download, WithoutAVersionOrAHashNothingIsJoined) {
  const auto content = some_bytes(50'000);
  HttpServer server(file_handler(content, "", [](HttpReply& reply, std::size_t request) {
    if (request == 0) reply.cut_after = 20'000;
  }));
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(server.requests().at(1).header("range"), "");
  EXPECT_EQ(content_of(scratch / "a"), content);
}

TEST(Download, WithAHashPartsAreJoinedAndChecked) {
  const auto content = some_bytes(50'000);
  HttpServer server(file_handler(content, "", [](HttpReply& reply, std::size_t request) {
    if (request == 0) reply.cut_after = 20'000;
  }));
  const Scratch scratch;
  auto options = quick();
  options.sha256 = sha256(content);
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(server.requests().at(1).header("range"), "bytes=20000-");
}

TEST(Download, ACompletePartNeedsNoByteMore) {
  const auto content = some_bytes(5'000);
  HttpServer server(file_handler(content));
  const Scratch scratch;
  testing::put_file(scratch / "a.part", content);
  testing::put_file(scratch / "a.part.json",
                    R"({"url":")" + server.url("/a") + R"(","version":"\"v1\"","total":5000})");
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->resumed, 5'000U);
  EXPECT_EQ(content_of(scratch / "a"), content);
}

TEST(Download, AServerThatIgnoresRangesGivesUpInTheEnd) {
  HttpServer server([](const HttpRequest&) {
    return HttpReply{.headers = {{"ETag", "\"v1\""}}, .body = std::string(1000, 'x'), .cut_after = 500};
  });
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "127.0.0.1: the connection ended early after 3 attempts; 500 of 1,000 bytes are kept in " +
                                      (scratch / "a.part").string() + ". Run the same command to go on");
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(Download, AnotherPartThanAskedForIsRefused) {
  HttpServer server(file_handler(some_bytes(1000), "\"v1\"", [](HttpReply& reply, std::size_t request) {
    if (request == 0) reply.cut_after = 500;
    if (request == 1) reply.headers = {{"Content-Range", "bytes 400-999/1000"}};
  }));
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, server.url("/a") + ": the server sent another part than was asked for");
}

TEST(Download, AMissingFileIsNotFoundAtOnce) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.status = 404, .body = "<html>no</html>"}; });
  const Scratch scratch;
  const auto done = download(server.url("/gone.gguf"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(done.error().message, server.url("/gone.gguf") + ": status 404: there is no such file. Check the address");
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Download, RefusedAccessSaysWhatToDo) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.status = 403}; });
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, server.url("/a") + ": status 403: access is refused. Fetch the file with a browser and "
                                                     "name its path instead");
}

TEST(Download, WaitsAsLongAsTheServerAsks) {
  const auto content = some_bytes(100);
  HttpServer server(file_handler(content, "\"v1\"", [](HttpReply& reply, std::size_t request) {
    if (request == 0) reply = {.status = 503, .headers = {{"Retry-After", "1"}}};
  }));
  const Scratch scratch;
  const auto start = std::chrono::steady_clock::now();
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
}

TEST(Download, GivesUpWhenTheServerAsksForTooLong) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.status = 429, .headers = {{"Retry-After", "3600"}}}; });
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "127.0.0.1: status 429 and asks to come back in " + duration_text(3600s) +
                                      "; nothing was kept. Run the same command to go on");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Download, AStalledTransferIsBrokenOffAndResumed) {
  const auto content = some_bytes(2'000);
  HttpServer server(file_handler(content, "\"v1\"", [](HttpReply& reply, std::size_t request) {
    if (request > 0) return;
    reply.cut_after = 500;
    reply.stall = 60s;  // until the client hangs up
  }));
  const Scratch scratch;
  auto options = quick();
  options.stall = 1s;
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(server.requests().at(1).header("range"), "bytes=500-");
  EXPECT_EQ(content_of(scratch / "a"), content);
}

TEST(Download, AnotherSizeThanExpectedIsRefusedBeforeTheTransfer) {
  HttpServer server(file_handler(some_bytes(1234)));
  const Scratch scratch;
  auto options = quick();
  options.size = 98'362'432;
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(done.error().message, server.url("/a") + ": the file is 1,234 bytes, expected 98,362,432; nothing was kept. "
                                                     "Check the address");
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Download, ALyingLengthDoesNotGetMoreThanExpectedOntoTheDisk) {
  HttpServer server([](const HttpRequest&) {
    return HttpReply{.headers = {{"Transfer-Encoding", "chunked"}}, .body = "7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n"};
  });
  const Scratch scratch;
  auto options = quick();
  options.size = 1000;
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Download, OtherContentThanExpectedIsNotKept) {
  HttpServer server(file_handler("another file"));
  const Scratch scratch;
  auto options = quick();
  options.sha256 = sha256("the file");
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(done.error().message, server.url("/a") + ": the content's SHA-256 is " + sha256("another file").hex() +
                                      ", expected " + sha256("the file").hex() + "; nothing was kept. Check the address");
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Download, FollowsRedirectsWithinTheLimit) {
  const auto content = some_bytes(1000);
  auto file = file_handler(content);
  HttpServer server([&](const HttpRequest& request) {
    if (request.target == "/real") return file(request);
    if (request.target == "/loop") return HttpReply{.status = 302, .headers = {{"Location", "/loop"}}};
    return HttpReply{.status = 302, .headers = {{"Location", "/real"}}, .body = "moved"};
  });
  const Scratch scratch;
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content_of(scratch / "a"), content);
  const auto looped = download(server.url("/loop"), scratch / "b", quick());
  ASSERT_FALSE(looped);
  EXPECT_EQ(looped.error().message,
            server.url("/loop") + ": Maximum (5) redirects followed; nothing was kept. Check the address");
}

TEST(Download, ARedirectToAnotherProtocolIsRefused) {
  const Scratch scratch;
  testing::put_file(scratch / "secret", "local content");
  HttpServer server([&](const HttpRequest&) {
    return HttpReply{.status = 302, .headers = {{"Location", "file://" + (scratch / "secret").string()}}};
  });
  const auto done = download(server.url("/a"), scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNetwork);
  EXPECT_FALSE(std::filesystem::exists(scratch / "a"));
}

TEST(Download, OnlyWebAddressesAreFetched) {
  const Scratch scratch;
  for (const std::string url : {"file:///etc/passwd", "ftp://127.0.0.1/a", "http://", "model"}) {
    const auto done = download(url, scratch / "a", quick());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kUsage);
    EXPECT_EQ(done.error().message, url + ": should be an http:// or https:// address");
  }
}

TEST(Download, NoServerIsToldWithItsHost) {
  std::string url;
  {
    HttpServer server(file_handler(""));
    url = server.url("/a");
  }
  const Scratch scratch;
  const auto done = download(url, scratch / "a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNetwork);
  EXPECT_TRUE(done.error().message.starts_with("127.0.0.1: Failed to connect to 127.0.0.1 port ")) << done.error().message;
  EXPECT_TRUE(done.error().message.ends_with("after 3 attempts; nothing was kept. Run the same command to go on"))
      << done.error().message;
}

TEST(Download, StoppingKeepsWhatIsThere) {
  const auto content = some_bytes(20'000);
  HttpServer server(file_handler(content, "\"v1\"", [](HttpReply& reply, std::size_t) {
    reply.cut_after = 8'000;
    reply.stall = 10s;
  }));
  const Scratch scratch;
  std::stop_source source;
  auto options = quick();
  options.stop = source.get_token();
  const std::jthread user([&] {
    const auto limit = std::chrono::steady_clock::now() + 8s;
    std::error_code error;
    while (std::filesystem::file_size(scratch / "a.part", error) != 8'000 && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(5ms);
    }
    source.request_stop();
  });
  const auto done = download(server.url("/a"), scratch / "a", options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kStopped);
  EXPECT_EQ(done.error().message, "the download was stopped; 8,000 of 20,000 bytes are kept in " +
                                      (scratch / "a.part").string() + ". Run the same command to go on");
  EXPECT_EQ(content_of(scratch / "a.part"), content.substr(0, 8'000));
}

TEST(Download, AFolderThatCannotBeMadeIsTold) {
  const Scratch scratch;
  testing::put_file(scratch / "file", "");
  HttpServer server(file_handler("x"));
  const auto done = download(server.url("/a"), scratch / "file/a", quick());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kIo);
  EXPECT_EQ(done.error().message, (scratch / "file").string() + ": Not a directory");
}

TEST(HostOf, IsTheNameInAnAddress) {
  EXPECT_EQ(host_of("https://user@example.org:8080/a?b").value_or(""), "example.org");
  EXPECT_FALSE(host_of("example.org"));
}

}  // namespace
}  // namespace valence
