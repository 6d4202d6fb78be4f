// Writes the report of the sample runs, with a subject of a long name, to standard output: what page_check.sh looks at.
#include <cstdio>

#include "report/sample_runs.h"

int main() {
  auto runs = valence::testing::sample_runs();
  runs[0].profile.subject = "a_model_with_a_very_long_name_and_an_adapter_" + std::string(60, 'x');
  runs.push_back(valence::testing::fulcra_run(7, "smollm2"));
  const auto page = valence::html_report(runs, {});
  if (!page) {
    std::fprintf(stderr, "%s\n", page.error().message.c_str());
    return 1;
  }
  std::fputs(page->c_str(), stdout);
  return 0;
}
