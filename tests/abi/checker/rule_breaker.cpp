// The variant that needs C++: an exception that leaves the plugin.
#include "rule_breaker.c"  // NOLINT(bugprone-suspicious-include)
