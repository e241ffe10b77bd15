#include "plugin.hpp"

namespace {

class Apps : public kubernetes::Plugin {
 public:
  Apps() : Plugin("apps") {}
};

}  // namespace

PAR_PLUGIN(Apps, {par::k_any_action, &Apps::run});
