#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// A stretch of a rendered conversation. What comes from people, items or the model itself is text and nothing else;
/// only the template's own words may become control tokens.
struct TextPart {
  std::string text;
  bool from_people;
};

/// A model's own conversation template (Jinja), run by llama.cpp's runtime with every message marked as input.
///
/// The role "system" is merged into the first user turn, before a blank line, for templates that refuse or drop it.
/// A model without a template gets the plain one: "System: …", "User: …" and "Assistant: …" paragraphs with a blank
/// line between them, ending in "Assistant:".
class ChatTemplate {
 public:
  /// `bos` and `eos`: the texts of the tokens that templates print by name. kUnsupported when it cannot be parsed.
  static Result<ChatTemplate> parse(std::string source, std::string bos, std::string eos);
  static ChatTemplate plain();

  /// Parts up to the place where the model's answer begins; the answer's prefix is the last part, from people.
  /// kUsage when the date is not YYYY-MM-DD; kUnsupported with the template's own words when it refuses the turns.
  Result<std::vector<TextPart>> render(const Conversation& conversation, const RenderOptions& options) const;

  const std::string& source() const;  ///< empty for the plain one
  Digest digest() const;              ///< of the source; of the word "plain" for the plain one
  bool is_plain() const { return source().empty(); }
  bool merges_system() const;

  struct State;

 private:
  explicit ChatTemplate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace valence
