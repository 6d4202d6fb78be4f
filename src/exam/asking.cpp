#include "asking.h"

#include "valence/base/digest.h"
#include "valence/exam/conversation_for.h"

namespace valence {

RandomStream stream_of(std::uint64_t seed, std::string_view purpose, const Tag& tag, std::string_view part,
                       std::uint64_t index) {
  const auto name = Hasher()
                        .add("exam")
                        .add(purpose)
                        .add(tag.unit)
                        .add(tag.cluster)
                        .add(tag.condition)
                        .add(tag.item)
                        .add(tag.variant)
                        .add(part)
                        .finish();
  return {seed, name.hex(), index};
}

AnswerRow unanswered_row(const Tag& tag) {
  AnswerRow row;
  row.unit = tag.unit;
  row.cluster = tag.cluster;
  row.condition = tag.condition;
  row.item = tag.item;
  row.variant = tag.variant;
  row.captured_mass = 0.0;
  return row;
}

AnswerRow unanswered_row(const AskedChoice& asked, std::size_t layout) {
  auto row = unanswered_row(asked.question->tag);
  row.layout = asked.layouts[layout].name();
  row.format = asked.question->format;
  row.route = asked.question->route;
  row.place = asked.layouts[layout].place;
  return row;
}

std::string name_of(const Tag& tag) {
  return fmt::format("item \"{}\"{}", tag.item, tag.unit.empty() ? "" : fmt::format(" of \"{}\"", tag.unit));
}

Result<Prompt> render(const AskContext& context, const Tag& tag, std::span<const Message> history,
                      std::string_view turn, std::string_view answer_prefix) {
  const auto conversation = conversation_for(context.subject, history, turn, answer_prefix);
  auto prompt = context.subject.model->render(conversation, context.subject.render);
  if (!prompt) return tl::unexpected(with_context(std::move(prompt).error(), name_of(tag)));
  return prompt;
}

}  // namespace valence
