#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "report/markup.h"
#include "report/sample_study_report.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using namespace valence::testing;

std::string page_of(const StudyReport& report) {
  const auto page = study_html(report);
  EXPECT_TRUE(page) << (page ? "" : page.error().message);
  return page.value_or("");
}

TEST(StudyHtml, OfSeveralChangesTheHeadSaysWhichIsWhich) {
  StudyReport report;
  for (const auto* name : {"gap.reward", "gap.watch"}) {
    report.changes.push_back(circle_change());
    report.changes.back().name = name;
  }
  EXPECT_EQ(headline(report, report.changes[1]), "gap.watch: " + change_verdict(report.changes[1]));
  report.changes.pop_back();
  EXPECT_EQ(headline(report, report.changes[0]), change_verdict(report.changes[0]));
}

TEST(StudyHtml, EveryTagIsClosedAndEveryIdIsUnique) {
  const auto page = page_of(sample_study_report());
  EXPECT_EQ(unbalanced(markup_of(page)), "");
  const auto ids = all_of(page, " id=\"([^\"]*)\"");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(StudyHtml, NeedsNothingFromTheNetwork) {
  const auto page = page_of(sample_study_report());
  EXPECT_EQ(count_of(page, "url("), 0u);
  EXPECT_EQ(count_of(page, "<link"), 0u);
  EXPECT_TRUE(all_of(page, "src=\"([^\"]*)\"").empty());
}

TEST(StudyHtml, ArrowsLeadFromBeforeToAfterInTheRingAndTheCircle) {
  auto report = sample_study_report();
  EXPECT_GE(count_of(page_of(report), "class=\"arrow\""), 3u);
  for (auto& change : report.changes) change.after.profile.entries = change.before.profile.entries;
  EXPECT_EQ(count_of(page_of(report), "class=\"arrow\""), 0u) << "nothing moved, so no arrow";
}

TEST(StudyHtml, TheNumbersOfThePageAreThoseOfTheJson) {
  const auto report = sample_study_report();
  const auto page = page_of(report);
  const auto json = Json::parse(study_json(report).value());
  std::size_t compared = 0;
  const auto expect_cell = [&](const Json& value) {
    if (!value.is_number()) return;
    EXPECT_NE(page.find("<td class=\"n\">" + significant(value.get<double>()) + "</td>"), std::string::npos) << value;
    ++compared;
  };
  for (const auto& change : json["changes"]) {
    for (const auto& figure : change["figures"]) {
      if (!figure["headline"].get<bool>()) continue;
      expect_cell(figure["before"]["value"]);
      expect_cell(figure["after"]["value"]);
      expect_cell(figure["change"]["value"]);
    }
    for (const auto& gap : change["gap"]["gaps"]) expect_cell(gap["value"]);
  }
  for (const auto& line : json["taxes"][0]["table"]["lines"]) expect_cell(line["change"]["value"]);
  for (const auto& figure : json["gaps"][0]["figures"]) expect_cell(figure["estimate"]["value"]);
  for (const auto& entry : json["measurements"][0]["entries"]) {
    if (entry["headline"].get<bool>()) expect_cell(entry["estimate"]["value"]);
  }
  EXPECT_EQ(compared, 3u * (5 + 10) + 2 + 4 + 3 + 10);
}

TEST(StudyHtml, ChangesAreDrawnWithTheirPairedIntervals) {
  const auto report = sample_study_report();
  const auto texts = picture_texts(page_of(report));
  for (const auto& difference : report.changes[1].differences) {
    if (difference.estimand.headline) {
      EXPECT_TRUE(contains(texts, figure_text(difference.estimate))) << difference.estimand.id;
    }
  }
}

TEST(StudyHtml, NothingIsSaidAboutAChangeWhereTheGateFailed) {
  StudyReport report;
  report.changes = {circle_change(false)};
  const auto page = page_of(report);
  EXPECT_EQ(count_of(page, "class=\"lead\""), 0u);
  EXPECT_NE(page.find("Not interpretable: what smollm2 answered does not show its values"), std::string::npos);
}

TEST(StudyHtml, AVerdictIsHedgedByItsInterval) {
  EXPECT_EQ(
      change_verdict(circle_change()),
      "smollm2 with an adapter is nearer to " + circle_change().target->label +
          " than before (L2: mean distance per dimension: 0.840 before, 0.310 after, change -0.530 [-2.03, 0.970]).");
}

TEST(StudyHtml, FiguresOfAVerdictHaveTheirUnit) {
  const auto change = ring_change();
  EXPECT_EQ(change_verdict(change), change.after.profile.subject + " is nearer to " + change.target->label +
                                        " than before (distance from prosocial (45°): 21.7° before, 5.70° after, "
                                        "change -16.0° [-17.5, -14.5]).");
}

TEST(StudyHtml, WhatCannotBeToldIsNotCalledNearer) {
  auto change = circle_change();
  change.gap = replace_all(change.gap, "\"nearer\":4", "\"nearer\":null");
  EXPECT_TRUE(change_verdict(change).starts_with("Whether smollm2 with an adapter is nearer to"))
      << change_verdict(change);
}

Difference difference_of(const std::string& label, double value, double reach, double p_holm) {
  Difference difference;
  difference.estimand = {label, label, "", label, "", -1.0, 1.0, true};
  difference.estimate = estimate_of(value, reach, 40, "prompt");
  difference.p_holm = p_holm;
  return difference;
}

TEST(StudyHtml, WithoutATargetOnlyWhatChangedIsNamed) {
  auto change = circle_change();
  change.target.reset();
  change.differences = {difference_of("security", 0.01, 0.05, 1.0), difference_of("power", -0.04, 0.05, 0.9)};
  EXPECT_EQ(change_verdict(change),
            "smollm2 with an adapter: none of 2 figures can be told from no change (the largest: power, change -0.0400 [-0.0900, 0.0100]).");
  change.differences.push_back(difference_of("benevolence", 0.3, 0.1, 0.01));
  EXPECT_EQ(change_verdict(change),
            "smollm2 with an adapter: benevolence rose (change 0.300 [0.200, 0.400]); 2 other figures cannot be told from no change.");
}

TEST(StudyHtml, WhatAnAlignmentFoundOnHeldOutPairsComesFirst) {
  StudyReport report;
  const ReportedAlignment alignment{"align.trained", "dpo", "smollm2", "",
                                    R"({"pair_accuracy": {"pairs": 1015, "prompts": 1014, "length_rule": "the shorter answer is better",
                                        "reward": {"value": 0.63, "low": 0.6, "high": 0.66, "count": 1015},
                                        "length": {"value": 0.57, "low": 0.54, "high": 0.6, "count": 1015},
                                        "difference": {"value": 0.06, "low": 0.02, "high": 0.09, "count": 1015}}})"};
  EXPECT_EQ(alignment_verdict(alignment),
            "The reward that dpo taught finds the better answer in 0.630 [0.600, 0.660] of 1,015 held-out pairs; against the rule \"the "
            "shorter answer is better\" the difference is 0.0600 [0.0200, 0.0900].");
  report.alignments = {alignment};
  EXPECT_EQ(count_of(page_of(report), "class=\"lead\""), 1u);
  EXPECT_EQ(alignment_verdict({"align.told", "in_context", "smollm2", "", "{}"}), "");
}

/// Of an alignment whose record says how many held-out prompts were trained on too, or does not say ("").
ReportedAlignment aligned_on_pairs(const std::string& trained_on) {
  const std::string share = R"({"value": 0.63, "low": 0.6, "high": 0.66, "count": 1015})";
  return {"align.trained", "dpo", "smollm2", "",
          R"({"pair_accuracy": {"pairs": 1015, "prompts": 1014, "length_rule": "the shorter answer is better", )" +
              trained_on + R"("reward": )" + share + R"(, "length": )" + share + R"(, "difference": )" + share + "}}"};
}

TEST(StudyHtml, WhetherHeldOutPromptsWereTrainedOnIsSaidAsItWasCounted) {
  const std::string none = "none of them trained on",
                    some = "Trained on as well: 12 of the 1,014 prompts, for which this is no held-out figure.";
  StudyReport report;
  report.alignments = {aligned_on_pairs(R"("prompts_trained_on": 0, )")};
  auto page = page_of(report);
  EXPECT_EQ(count_of(page, none), 1u);
  EXPECT_EQ(count_of(page, "Trained on as well"), 0u);
  report.alignments = {aligned_on_pairs(R"("prompts_trained_on": 12, )")};
  page = page_of(report);
  EXPECT_EQ(count_of(page, none), 0u);
  EXPECT_EQ(count_of(page, some), 2u) << "in the verdict and under the table";
  report.alignments = {aligned_on_pairs("")};
  page = page_of(report);
  EXPECT_EQ(count_of(page, none) + count_of(page, "Trained on as well"), 0u) << "nobody counted";
}

TEST(StudyHtml, AMeasurementByItselfIsShownWithItsHeadlineFigures) {
  StudyReport report;
  report.measurements.push_back({"measure.alone", pvq_run(5, "smollm2", 1.0, false, true)});
  const auto page = page_of(report);
  EXPECT_EQ(count_of(page, "class=\"lead\""), 1u);
  EXPECT_NE(page.find("<h2>Questionnaire: smollm2</h2>"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"n\">1.04</td><td class=\"n\">[0.800, 1.28]</td>"), std::string::npos);
  EXPECT_TRUE(contains(picture_texts(page), "1.04 [0.800, 1.28]"));
  EXPECT_EQ(count_of(page, "Can these figures be trusted?"), 1u);
  const auto json = Json::parse(study_json(report).value())["measurements"][0];
  EXPECT_EQ(json["step"], "measure.alone");
  EXPECT_EQ(json["verdict"].get<std::string>(), verdict(report.measurements[0].run));
}

TEST(StudyHtml, AMeasurementThatFailedItsGateHasABanner) {
  StudyReport report;
  report.measurements.push_back({"measure.alone", pvq_run(5, "smollm2", 1.0, false, false)});
  const auto page = page_of(report);
  EXPECT_EQ(count_of(page, "class=\"lead\""), 0u);
  EXPECT_EQ(count_of(page, "class=\"banner\""), 1u);
}

TEST(StudyHtml, AGapOfOneMeasurementSaysWhatIsBestAndWhatItCannotTell) {
  StudyReport report;
  report.gaps.push_back(sample_gap());
  const auto page = page_of(report);
  EXPECT_NE(page.find("<td>L1, pairwise</td><td class=\"n\">0.620</td><td class=\"n\">[0.510, 0.730]</td><td></td>"
                      "<td class=\"n\">5</td><td class=\"n\">0</td><td>a constant added to every dimension</td>"),
            std::string::npos);
  EXPECT_NE(page.find("<td class=\"n\">1.00</td><td>size</td>"), std::string::npos) << "an agreement is best at 1";
  EXPECT_NE(page.find("since the run has no figure for it: hedonism."), std::string::npos);
  EXPECT_EQ(count_of(page, "aria-labelledby=\"gap-"), 2u) << "distances and the agreement have axes of their own";
  EXPECT_TRUE(contains(picture_texts(page), "7.40 [6.90, 7.90]"));
}

TEST(StudyHtml, AGapThatWasFiledWithoutItsBlindSpotHasADash) {
  StudyReport report;
  report.gaps.push_back(sample_gap());
  report.gaps[0].table = replace_all(report.gaps[0].table, "\"cannot_tell\"", "\"other\"");
  EXPECT_NE(page_of(report).find("<td class=\"n\">1.00</td><td>–</td>"), std::string::npos);
}

TEST(StudyHtml, AGapIsHedgedByItsIntervalAndSilentWhereTheGateFailed) {
  EXPECT_EQ(gap_verdict(sample_gap()),
            "smollm2 against Ireland: L1, pairwise 0.620 [0.510, 0.730]; the best there is: 0.");
  EXPECT_TRUE(gap_verdict(sample_gap(false)).starts_with("Not interpretable: what smollm2 answered does not show"))
      << gap_verdict(sample_gap(false));
}

TEST(StudyHtml, AChangeWithoutATargetIsSaidInWords) {
  auto change = circle_change();
  change.target.reset();
  change.gap.clear();
  EXPECT_EQ(change_verdict(change),
            "smollm2 with an adapter: self direction, centred rose (change 0.492 [0.192, 0.792] scale points); power, centred fell (change "
            "-2.33 [-2.79, -1.87] scale points); benevolence, centred rose (change 0.624 [0.00400, 1.24] scale points); 7 other figures "
            "cannot be told from no change.");
  StudyReport report;
  report.changes = {change};
  const auto page = page_of(report);
  EXPECT_EQ(count_of(page, "How far from the target"), 0u);
  EXPECT_TRUE(Json::parse(study_json(report).value())["changes"][0]["gap"].is_null());
}

TEST(StudyHtml, FiguresOfDifferentUnitsAreNotDrawnOnOneAxis) {
  StudyReport report;
  report.changes = {change_between(moralchoice_run(1, "a", false, true), moralchoice_run(2, "b", false, true),
                                   load_target("svo_reachable").value(),
                                   gap_of({}, moralchoice_run(2, "b", false, true), "x", "x", 1, 2))};
  report.changes[0].target.reset();
  EXPECT_EQ(count_of(page_of(report), "aria-labelledby=\"dumbbell-"), 2u) << "shares and nats";
}

TEST(StudyHtml, TheTaxIsSaidInWordsAndNotInColourAlone) {
  const auto page = page_of(sample_study_report());
  for (const auto* cell :
       {"<td class=\"pass\">within the aim</td>", "<td class=\"fail\">beyond the aim</td>",
        "<td class=\"dim\">cannot be told</td>", "<td class=\"dim\">shown, no aim</td>",
        "<td class=\"dim\">untestable: the base itself is not above chance</td>"})
    EXPECT_NE(page.find(cell), std::string::npos) << cell;
}

TEST(StudyHtml, TheCostIsASentenceThatBeginsWithWhatIsBeyondItsAim) {
  EXPECT_EQ(tax_verdict(sample_tax()).value(),
            "Cost of smollm2 with an adapter against smollm2: refusals (change 0.120 [0.0700, 0.170]) beyond the aim; perplexity within "
            "the aim; right answers cannot be told; 41 of 120 items untestable.");
}

/// The sentence of a tax with these verdicts, in which a family of questions fell, too.
std::string cost_of(const std::string& perplexity, const std::string& answers, const std::string& refusals,
                    std::size_t untestable) {
  Json table = {{"lines", Json::array()}};
  table["lines"].push_back(tax_line("perplexity_ratio", "", "", 4.0, 4.8, 1.2, 0.1, perplexity, 0, 0));
  table["lines"].push_back(tax_line("capability", "", "share", 0.6, 0.5, -0.1, 0.04, answers, 120, untestable));
  table["lines"].push_back(tax_line("capability.facts", "", "share", 0.9, 0.3, -0.6, 0.1, "beyond", 30, 7));
  table["lines"].push_back(tax_line("refusal", "", "share", 0.0, 0.3, 0.3, 0.1, refusals, 0, 0));
  return tax_verdict({"tax.cost", "a", "b", to_text(table), {}}).value();
}

TEST(StudyHtml, TheCostSaysWhatIsWithinWhatCannotBeToldAndWhatIsUntestable) {
  EXPECT_EQ(cost_of("within", "within", "within", 0),
            "Cost of b against a: perplexity, right answers and refusals within the aim.");
  EXPECT_EQ(cost_of("within", "open", "open", 65),
            "Cost of b against a: perplexity within the aim; right answers and refusals cannot be told; 65 of 120 items untestable.");
  EXPECT_EQ(cost_of("beyond", "untestable", "beyond", 115),
            "Cost of b against a: perplexity (ratio 1.20 [1.10, 1.30]) and refusals (change 0.300 [0.200, 0.400]) beyond the aim; right "
            "answers untestable; 115 of 120 items untestable.");
}

TEST(StudyHtml, DriftThatNobodyMeasuredIsSaidToBeSo) {
  StudyReport report;
  report.taxes = {sample_tax()};
  EXPECT_EQ(count_of(page_of(report), "Drift was not measured"), 0u);
  EXPECT_EQ(tax_verdict(report.taxes[0])->find("drift"), std::string::npos);
  auto table = Json::parse(report.taxes[0].table);
  table["drift"] = Json::array();
  report.taxes[0].table = to_text(table);
  EXPECT_EQ(count_of(page_of(report), "Drift was not measured"), 1u);
  EXPECT_TRUE(tax_verdict(report.taxes[0])->ends_with("41 of 120 items untestable; drift not measured."));
}

TEST(StudyHtml, TheHeadSaysWhoseCostNobodyMeasured) {
  StudyReport report;
  report.alignments.push_back({"align.trained", "align/choice", "smollm2", "", "{}"});
  EXPECT_EQ(missing_tax(report.alignments[0]), "");
  EXPECT_EQ(count_of(page_of(report), "class=\"lead\""), 0u);
  report.alignments[0].without_tax = true;
  const auto text = missing_tax(report.alignments[0]);
  EXPECT_EQ(text,
            "Cost of align.trained: not measured (no [tax.NAME] holds what it made against what it began with).");
  const auto page = page_of(report);
  EXPECT_NE(page.substr(0, page.find("<h2>")).find("<p class=\"lead\">" + html_escape(text) + "</p>"),
            std::string::npos);
  EXPECT_TRUE(Json::parse(study_json(report).value())["alignments"][0]["without_tax"].get<bool>());
}

TEST(StudyHtml, DrawnResponsesStandWithTheirRewardsAndTheWayToAllOfThem) {
  StudyReport report;
  report.alignments.push_back({"align.trained", "align/base_align", "smollm2", "", "{}"});
  EXPECT_EQ(count_of(page_of(report), "Responses that were drawn"), 0u);
  report.alignments[0].run = 12;
  report.alignments[0].drawn = {{"round 1", "How?", "Like <b>this</b>.", -0.75}, {"round 2", "Why?", "", kNone}};
  const auto page = page_of(report);
  EXPECT_EQ(unbalanced(markup_of(page)), "");
  EXPECT_NE(page.find("<tr><td>round 1</td><td class=\"side\">How?</td><td class=\"side\">Like &lt;b&gt;this&lt;/b&gt;.</td>"
                      "<td class=\"n\">-0.750</td></tr>"),
            std::string::npos);
  EXPECT_NE(page.find("valence export 12 --format csv"), std::string::npos);
  const auto json = Json::parse(study_json(report).value())["alignments"][0];
  EXPECT_EQ(json["run"], 12);
  EXPECT_EQ(json["drawn"][0]["reward"], -0.75);
  EXPECT_TRUE(json["drawn"][1]["reward"].is_null());
}

TEST(StudyHtml, ATaxThatIsDamagedIsAnErrorAndNoSilence) {
  StudyReport report;
  report.taxes.push_back({"tax.cost", "a", "b", "{", {}});
  EXPECT_EQ(tax_verdict(report.taxes[0]).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(study_html(report).error().code, ErrorCode::kCorrupt);
}

TEST(StudyHtml, TheHeadSaysWhatTheContentTestAndTheTaxCameTo) {
  StudyReport report;
  report.contents = {sample_content(true), sample_content(false)};
  report.taxes = {sample_tax()};
  const auto page = page_of(report);
  const auto head = page.substr(0, page.find("<h2>"));
  const auto lead = [](const std::string& text) { return "<p class=\"lead\">" + html_escape(text) + "</p>"; };
  EXPECT_NE(head.find(lead("Questionnaire: the answers of smollm2 with an adapter follow Ireland by their content.")),
            std::string::npos);
  EXPECT_NE(head.find(lead("Questionnaire: it is not shown that the answers of smollm2 with an adapter follow Ireland by their content "
                           "(target's answers are not above chance).")),
            std::string::npos);
  EXPECT_NE(head.find(lead(tax_verdict(report.taxes[0]).value())), std::string::npos);
  const auto json = Json::parse(study_json(report).value());
  EXPECT_EQ(json["taxes"][0]["verdict"].get<std::string>(), tax_verdict(report.taxes[0]).value());
}

TEST(StudyHtml, SampleAnswersStandSideBySideAsText) {
  const auto page = page_of(sample_study_report());
  EXPECT_NE(page.find("<td class=\"side\">Another &lt;b&gt;answer&lt;/b&gt;</td>"), std::string::npos);
}

// The held-out reward 0.9 x − 0.22 x² is largest at x = 2.045; of the points looked at, at x = 2.1 (step 140).
TEST(StudyHtml, TheTurnOfTheHeldOutRewardIsMarked) {
  const auto trace = sample_trace();
  const auto turn = turning_point(trace);
  ASSERT_TRUE(turn);
  EXPECT_EQ(trace.points[*turn].step, 140.0);
  EXPECT_TRUE(contains(picture_texts(page_of(sample_study_report())), "turn: step 140"));
}

TEST(StudyHtml, ACourseThatWasTestedAndHasNoTurnIsDrawnWithoutOne) {
  auto report = sample_study_report();
  auto& trace = report.traces.front();
  trace.tested = true;
  EXPECT_FALSE(turning_point(trace)) << "the held-out estimates fall, but the method could not tell";
  EXPECT_EQ(count_of(page_of(report), ">turn: step"), 0u);
  EXPECT_TRUE(Json::parse(study_json(report).value())["traces"][0]["turn"].is_null());
  trace.turn = 100.0;
  EXPECT_EQ(count_of(page_of(report), ">turn: step 100<"), 1u);
}

TEST(StudyHtml, ARewardThatNeverTurnsHasNoMark) {
  auto trace = sample_trace();
  for (auto& point : trace.points) point.held_out = point.proxy;
  EXPECT_FALSE(turning_point(trace));
  for (auto& point : trace.points) point.held_out = kNone;
  EXPECT_FALSE(turning_point(trace)) << "nothing was held out";
}

}  // namespace
}  // namespace valence
