// What is stored is not computed again, and what is damaged, failed or missing is.
#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

#include "fake_model.h"
#include "valence/model/scripted.h"
#include "valence/store/store.h"

namespace valence::testing {
namespace {

class Resume : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    path_ = std::filesystem::temp_directory_path() / fmt::format("valence_exam_{}_{}.db", ::getpid(), name);
    TearDown();
    store_ = Store::open(path_).value();
    run_ = new_run();
  }
  void TearDown() override {
    store_.reset();
    for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + end);
  }

  RunId new_run() {
    RunRecord record;
    record.key = fmt::format("key {}", ++runs_);
    record.instrument = "test";
    record.subject = "test";
    record.started = "2026-01-01T00:00:00Z";
    record.settings = record.provenance = "{}";
    return store_->create_run(record).value();
  }

  std::filesystem::path path_;
  std::unique_ptr<Store> store_;
  RunId run_ = 0;
  int runs_ = 0;
};

std::vector<Question> many_questions(std::size_t count) {
  std::vector<Question> questions;
  for (std::size_t i = 0; i < count; ++i) {
    auto question = letter_question(fmt::format("item {}", i), {fmt::format("one {}", i), fmt::format("two {}", i)});
    if (i % 3 == 0) {
      question.route = Route::kSampled;
      question.draws = 3;
    }
    questions.emplace_back(question);
  }
  return questions;
}

/// A fixed leaning that depends on what was shown.
class Leaning : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const double lean = 0.1 + 0.8 * static_cast<double>(sha256(choice.contents.front()).bytes[0]) / 255.0;
    return {lean, 1.0 - lean};
  }
  std::string reply(const Conversation&, std::uint64_t seed) const override { return fmt::format("reply {}", seed); }
};

std::shared_ptr<LanguageModel> scripted() { return scripted_model("leaning", "leaning 1", std::make_shared<Leaning>()); }

std::string text_of(const std::vector<Answer>& answers) {
  std::string text;
  for (const auto& answer : answers) {
    for (const auto& row : choice(answer).rows) {
      text += fmt::format("{}|{}|{}|{}|{}\n", row.item, row.layout, fmt::join(row.probability, " "), row.text, row.digest);
    }
  }
  return text;
}

/// Wraps a model: asks to stop, or fails, after some groups.
class Interrupted : public LanguageModel {
 public:
  Interrupted(std::shared_ptr<LanguageModel> model, std::size_t groups, std::stop_source* stop)
      : model_(std::move(model)), groups_(groups), stop_(stop) {}
  const ModelCard& card() const override { return model_->card(); }
  Result<Prompt> render(const Conversation& c, const RenderOptions& o) const override { return model_->render(c, o); }
  Result<std::vector<TokenView>> view(const Prompt& prompt) const override { return model_->view(prompt); }
  Result<Plan> plan(std::vector<Request> requests) const override { return model_->plan(std::move(requests)); }
  Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink, const RunControl& control) override {
    Counting counting(*this, sink);
    return model_->run(plan, missing, counting, control);
  }

 private:
  struct Counting : Sink {
    Counting(Interrupted& owner_, Sink& sink_) : owner(owner_), sink(sink_) {}
    Result<void> done(std::size_t group, std::span<const Result<Response>> responses) override {
      auto kept = sink.done(group, responses);
      if (--owner.groups_ == 0) owner.stop_->request_stop();
      return kept;
    }
    Interrupted& owner;
    Sink& sink;
  };
  std::shared_ptr<LanguageModel> model_;
  std::size_t groups_;
  std::stop_source* stop_;
};

TEST_F(Resume, AStoppedRunGoesOnWhereItWasAndEndsTheSame) {
  const auto questions = many_questions(60);
  const auto straight_run = new_run();
  const auto subject = subject_of(scripted());
  Examiner straight(subject, store_.get(), straight_run, {.seed = 7});
  const auto expected = text_of(straight.ask(questions).value());
  const auto groups = straight.statistics().groups_computed;
  ASSERT_GT(groups, 15U);

  for (const std::size_t at : {std::size_t{1}, std::size_t{5}, groups - 1}) {
    const auto run = new_run();
    std::stop_source stop;
    const auto stopped_subject = subject_of(std::make_shared<Interrupted>(scripted(), at, &stop));
    Examiner stopped(stopped_subject, store_.get(), run, {.seed = 7, .stop = stop.get_token()});
    const auto failed = stopped.ask(questions);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kStopped);
    EXPECT_EQ(store_->count_groups(run).value(), at);

    Examiner resumed(subject, store_.get(), run, {.seed = 7});
    EXPECT_EQ(text_of(resumed.ask(questions).value()), expected);
    EXPECT_EQ(resumed.statistics().groups_replayed, at);
    EXPECT_EQ(resumed.statistics().groups_computed, groups - at);
  }
}

TEST_F(Resume, StoppingSaysWhatIsKept) {
  std::stop_source stop;
  auto model = std::make_shared<FakeModel>(constant({0.5, 0.5}), 4);
  model->after_group = [&](std::size_t groups) { if (groups == 2) stop.request_stop(); };
  const auto subject = subject_of(model);
  Examiner examiner(subject, store_.get(), run_, {.stop = stop.get_token()});
  std::vector<Question> questions;
  for (int i = 0; i < 1000; ++i) questions.emplace_back(letter_question(fmt::format("{}", i), {fmt::format("one {}", i), "two"}));
  EXPECT_EQ(examiner.ask(questions).error().message,
            "stopped. 8 of 2,000 answers are kept; run the same command to go on");
}

TEST_F(Resume, StoppingWithoutAStoreKeepsNothing) {
  std::stop_source stop;
  stop.request_stop();
  auto model = std::make_shared<FakeModel>(constant({0.5, 0.5}));
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {.stop = stop.get_token()});
  const std::vector<Question> questions{letter_question("i", {"one", "two"})};
  EXPECT_EQ(examiner.ask(questions).error().message,
            "stopped. 0 of 2 answers are kept; there is no store to go on from");
  EXPECT_EQ(model->groups_run, 0U);
}

TEST_F(Resume, GroupsOfOtherRunsAreTakenOnlyWhenAsked) {
  const auto questions = many_questions(10);
  const auto subject = subject_of(scripted());
  Examiner first(subject, store_.get(), run_, {});
  ASSERT_TRUE(first.ask(questions));
  Examiner apart(subject, store_.get(), new_run(), {});
  ASSERT_TRUE(apart.ask(questions));
  EXPECT_EQ(apart.statistics().groups_replayed, 0U);
  Examiner reusing(subject, store_.get(), new_run(), {.reuse = true});
  ASSERT_TRUE(reusing.ask(questions));
  EXPECT_EQ(reusing.statistics().groups_computed, 0U);
}

TEST_F(Resume, ADamagedGroupIsComputedAgainAndReported) {
  const auto questions = many_questions(10);
  const auto subject = subject_of(scripted());
  Examiner first(subject, store_.get(), run_, {});
  const auto expected = text_of(first.ask(questions).value());
  const auto digest = Digest::from_hex(choice(first.ask(questions).value()[0]).rows[0].digest).value();
  ASSERT_TRUE(store_->put_group(run_, digest, {"VG1\nnonsense, long enough", 0.0, 0}));

  Examiner second(subject, store_.get(), run_, {});
  EXPECT_EQ(text_of(second.ask(questions).value()), expected);
  EXPECT_EQ(second.statistics().groups_computed, 1U);
  const auto events = store_->events(run_).value();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().level, "warning");
  EXPECT_EQ(events.back().text, fmt::format("group {}: the stored answers are damaged (the checksum does not fit); "
                                            "computed again", digest.brief()));
  Examiner third(subject, store_.get(), run_, {});
  ASSERT_TRUE(third.ask(questions));
  EXPECT_EQ(third.statistics().groups_computed, 0U);
}

TEST_F(Resume, AGroupWithAFailureIsTriedAgain) {
  bool broken = true;
  auto model = std::make_shared<FakeModel>([&](const Request& request) -> Result<Response> {
    if (broken) return fail(ErrorCode::kModel, "decode failed");
    return constant({0.5, 0.5})(request);
  });
  const auto subject = subject_of(model);
  const std::vector<Question> questions{letter_question("i", {"one", "two"})};
  Examiner first(subject, store_.get(), run_, {});
  EXPECT_EQ(choice(first.ask(questions).value()[0]).status, Status::kError);
  EXPECT_EQ(store_->count_groups(run_).value(), 0U);
  broken = false;
  Examiner second(subject, store_.get(), run_, {});
  EXPECT_EQ(choice(second.ask(questions).value()[0]).status, Status::kScored);
}

/// A store that has room for some groups only.
class FullStore : public Store {
 public:
  FullStore(Store& store, std::size_t room) : store_(store), room_(room) {}
  const std::filesystem::path& path() const override { return store_.path(); }
  Result<RunId> create_run(const RunRecord& run) override { return store_.create_run(run); }
  Result<std::optional<RunRecord>> unfinished(std::string_view key) const override { return store_.unfinished(key); }
  Result<std::optional<RunId>> finished(std::string_view key) const override { return store_.finished(key); }
  Result<void> set_state(RunId run, RunState state) override { return store_.set_state(run, state); }
  Result<void> remove_run(RunId run) override { return store_.remove_run(run); }
  Result<std::vector<RunRecord>> runs() const override { return store_.runs(); }
  Result<RunRecord> run(RunId id) const override { return store_.run(id); }
  Result<std::optional<StoredGroup>> group(RunId run, const Digest& digest, bool any_run) const override {
    return store_.group(run, digest, any_run);
  }
  Result<void> put_group(RunId run, const Digest& digest, const StoredGroup& group) override {
    if (room_ == 0) return fail(ErrorCode::kDiskFull, "no space left on device");
    --room_;
    return store_.put_group(run, digest, group);
  }
  Result<std::size_t> count_groups(RunId run) const override { return store_.count_groups(run); }
  Result<void> finish(RunId run, const AnswerTable& answers, std::string_view profile) override {
    return store_.finish(run, answers, profile);
  }
  Result<AnswerTable> answers(RunId run) const override { return store_.answers(run); }
  Result<void> put_training_step(RunId run, const TrainingStep& step) override {
    return store_.put_training_step(run, step);
  }
  Result<std::vector<TrainingStep>> training_steps(RunId run) const override { return store_.training_steps(run); }
  Result<void> put_artefact(RunId run, const Artefact& artefact) override { return store_.put_artefact(run, artefact); }
  Result<std::vector<Artefact>> artefacts(RunId run) const override { return store_.artefacts(run); }
  Result<std::optional<StepRecord>> step(std::string_view hash) const override { return store_.step(hash); }
  Result<void> put_step(const StepRecord& step) override { return store_.put_step(step); }
  Result<void> log(RunId run, std::string_view level, std::string_view text) override {
    return store_.log(run, level, text);
  }
  Result<std::vector<Event>> events(RunId run) const override { return store_.events(run); }

 private:
  Store& store_;
  std::size_t room_;
};

TEST_F(Resume, AFullDiskEndsTheRunAndSaysWhatIsKept) {
  FullStore full(*store_, 3);
  const auto subject = subject_of(std::make_shared<FakeModel>(constant({0.5, 0.5}), 4));
  std::vector<Question> questions;
  for (int i = 0; i < 20; ++i) questions.emplace_back(letter_question(fmt::format("{}", i), {fmt::format("one {}", i), "two"}));
  Examiner examiner(subject, &full, run_, {});
  const auto answers = examiner.ask(questions);
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(answers.error().message, "no space left on device. 12 of 40 answers are kept; free some space and run the "
                                     "same command to go on");
  Examiner again(subject, store_.get(), run_, {});
  ASSERT_TRUE(again.ask(questions));
  EXPECT_EQ(again.statistics().groups_replayed, 3U);
}

}  // namespace
}  // namespace valence::testing
