#!/usr/bin/env bash
# The report in headless Chromium: no sideways scrolling at phone, tablet and desktop width, and no text of a picture
# that leaves its picture.
#
#   tests/report/page_check.sh PROGRAM [ARGUMENT]      (PROGRAM writes the page to standard output)
#
# Exit status 77 when there is no Chromium: the check is then skipped.
set -euo pipefail

browser="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
if [ -z "$browser" ]; then
  echo "SKIPPED: no chromium in the PATH; the page was not looked at" >&2
  exit 77
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$@" >"$work/page.html"

# Frames of each width stand for windows, which headless Chromium makes no narrower than 500 px.
cat >"$work/check.html" <<'HTML'
<!DOCTYPE html><title>not run</title><body><script>
const widths = [390, 768, 1440], found = [];
function look(frame, width) {
  const page = frame.contentDocument.documentElement;
  if (page.scrollWidth > width) found.push(`${width} px: the page is ${page.scrollWidth} px wide`);
  for (const svg of frame.contentDocument.querySelectorAll("svg")) {
    const box = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const t = text.getBoundingClientRect();
      if (t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 2 || t.bottom > box.bottom + 2)
        found.push(`${width} px: "${text.textContent}" leaves ${svg.getAttribute("aria-labelledby")}`);
    }
  }
}
let left = widths.length;
for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  frame.onload = () => { look(frame, width); if (--left === 0) document.title = found.length ? "FAULTS " + found.join("; ") : "PAGE FITS"; };
  frame.src = "page.html";
  document.body.append(frame);
}
</script>
HTML

"$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --allow-file-access-from-files --user-data-dir="$work/profile" \
  --virtual-time-budget=20000 --dump-dom "file://$work/check.html" >"$work/dom.html" 2>"$work/log"
title="$(grep -o '<title>[^<]*</title>' "$work/dom.html" | head -1)"
echo "$title"
[ "$title" = "<title>PAGE FITS</title>" ]
