#include <par/plugin.h>

par_status call_result(const par_call* call, const char* text, size_t size);
void call_error(const par_call* call, const char* text, size_t size);
par_status call_wait(const par_call* call, int64_t milliseconds);
