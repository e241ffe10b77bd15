#pragma once

namespace par::core {

/// Sets the process up so that its secrets stay in it: no core dumps, no look into its memory for other
/// processes of the same user, files that it makes are its own. Also ignores SIGPIPE: a reader of standard
/// output that goes away is no reason to end. Standard descriptors that are closed are taken by /dev/null,
/// not to be written to. Variables by which a plugin's library would take a server, a password or a file from
/// the environment instead of the task's connection are removed (PG...: libpq). Call first in main(), before
/// there are threads.
void harden_process();

}  // namespace par::core
