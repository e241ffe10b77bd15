/* A library that tests find in a plugins directory: it has a manifest and nothing else, so it can be listed
 * and not loaded. */
__attribute__((used, section(".par_manifest"))) static const char k_manifest[] =
    "{\"manifest_version\":1,\"namespace\":\"com.example.cli\",\"version\":\"1.2.3\",\"services\":[],"
    "\"config_schema\":{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\"}},"
    "\"additionalProperties\":false},"
    "\"actions\":{"
    "\"set\":{\"summary\":\"Sets "
    "it\",\"effect\":\"writes\",\"input\":{\"type\":\"object\"},\"output\":{\"type\":"
    "\"object\"},\"rbac\":[{\"apiGroup\":\"\",\"resource\":\"pods\",\"verbs\":[\"list\",\"delete\"],"
    "\"namespaced\":true},{\"apiGroup\":\"\",\"resource\":\"nodes\",\"verbs\":[\"get\"],"
    "\"namespaced\":false}]},"
    "\"get\":{\"summary\":\"Gets "
    "\\\"it\\\"\",\"effect\":\"reads\",\"input\":{\"type\":\"object\"},\"output\":{\"type\":"
    "\"object\"},\"rbac\":[{\"apiGroup\":\"\",\"resource\":\"pods\",\"verbs\":[\"get\"],"
    "\"namespaced\":true},{\"apiGroup\":\"\",\"resource\":\"services\",\"verbs\":[\"get\"],"
    "\"namespaced\":true}]},"
    "\"odd\":{\"summary\":\"Says nothing useful of its "
    "rights\",\"effect\":\"reads\",\"input\":{\"type\":\"object\"},\"output\":{\"type\":\"object\"},"
    "\"rbac\":\"all\"}}}";
