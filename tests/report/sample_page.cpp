// Writes a report of sample runs to standard output, what page_check.sh looks at: of runs, with a subject of a long
// name, or, given "study", of a study.
#include <cstdio>
#include <string_view>

#include "report/sample_runs.h"
#include "report/sample_study_report.h"

namespace {

valence::Result<std::string> runs_page() {
  auto runs = valence::testing::sample_runs();
  runs[0].profile.subject = "a_model_with_a_very_long_name_and_an_adapter_" + std::string(60, 'x');
  runs.push_back(valence::testing::fulcra_run(7, "smollm2"));
  return valence::html_report(runs, {});
}

}  // namespace

int main(int count, char** arguments) {
  const bool study = count > 1 && std::string_view(arguments[1]) == "study";
  const auto page = study ? valence::study_html(valence::testing::sample_study_report()) : runs_page();
  if (!page) {
    std::fprintf(stderr, "%s\n", page.error().message.c_str());
    return 1;
  }
  std::fputs(page->c_str(), stdout);
  return 0;
}
