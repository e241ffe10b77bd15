#include "plugin.hpp"

namespace {

class Core : public kubernetes::Plugin {
 public:
  Core() : Plugin("core") {}
};

}  // namespace

PAR_PLUGIN(Core, {"testConnection", &Core::test_connection}, {par::k_any_action, &Core::run});
