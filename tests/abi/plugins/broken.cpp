// The variants that need C++: an exception that leaves the plugin.
#include "broken.c"  // NOLINT(bugprone-suspicious-include)
