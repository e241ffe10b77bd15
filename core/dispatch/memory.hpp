#pragma once

namespace par::core {

/// Sets the allocator up for a process that is idle most of the time and now and then moves megabytes: large
/// blocks go back to the system as soon as they are freed, and few arenas are kept. Call before threads
/// start.
void tune_allocator();

/// Gives free memory back to the system. Takes a millisecond or so: for quiet moments.
void give_back_memory();

}  // namespace par::core
