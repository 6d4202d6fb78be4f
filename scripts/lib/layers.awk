# Input: layers.txt, then lines "FILE:LINE:#include ...". Output: one line for each include that breaks the rules.

FNR == NR { read_rule(); next }
{ read_include() }

function read_rule(    i) {
  sub(/#.*/, "")
  if (NF == 0) return
  if ($1 !~ /^(everywhere|system|heavy)$/) rank[$1] = ++areas
  for (i = 2; i <= NF; i++) allowed[$1] = allowed[$1] " " $i
}

function read_include() {
  match($0, /^[^:]*:[0-9]+:/)
  place = substr($0, 1, RLENGTH - 1)
  text = substr($0, RLENGTH + 1)
  file = place
  sub(/:[0-9]+$/, "", file)
  area = area_of(file)
  if (!match(text, /[<"][^>"]+[>"]/)) return
  quoted = substr(text, RSTART, 1) == "\""
  header = substr(text, RSTART + 1, RLENGTH - 2)
  if (area in rank) check()
  else report("\"" area "\" is not an area")
}

function area_of(path,    parts) {
  split(path, parts, "/")
  if (parts[1] == "apps") return "apps"
  return parts[1] == "include" ? parts[3] : parts[2]
}

function check() {
  if (header ~ /(^|\/)\.\.\// || header ~ /^(src|include|apps)\//) report("include by the path \"valence/<area>/...\"")
  else if (header ~ /^valence\//) check_area()
  else if (!is_own(header)) check_third_party()
}

function check_area(    parts) {
  split(header, parts, "/")
  if (!(parts[2] in rank)) report("\"" parts[2] "\" is not an area")
  else if (rank[parts[2]] > rank[area]) report(area " may not use " parts[2] ", which comes after it")
}

# A header beside the file that includes it, or a header of the standard library.
function is_own(name,    folder) {
  if (!quoted) return name !~ /[.\/]/
  folder = file
  sub(/[^\/]*$/, "", folder)
  return exists(folder name) || exists("src/" area "/" name)
}

function exists(path,    line, status) {
  status = (getline line < path)
  close(path)
  return status >= 0
}

function check_third_party() {
  if (file ~ /^include\// && begins(header, "heavy")) report("too heavy for a public header; include it in a .cpp file")
  else if (!begins(header, area) && !begins(header, "everywhere") && !begins(header, "system"))
    report(area " may not see this third-party header")
}

function begins(name, rule,    list, n, i) {
  n = split(allowed[rule], list, " ")
  for (i = 1; i <= n; i++) if (index(name, list[i]) == 1) return 1
  return 0
}

function report(reason) { print place ": " header ": " reason }
