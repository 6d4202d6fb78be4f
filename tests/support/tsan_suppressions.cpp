/// What the thread sanitizer reports inside libraries that it did not build, or whose design it misreads.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libggml\n"  // llama.cpp's threads meet at barriers of its own, which are not instrumented
         "race:ggml_\n"
         "deadlock:hnswlib\n";  // it locks a node while it adds it, then its neighbours; always from one thread here
}
