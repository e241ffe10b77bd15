/* Stands in for the section that par_add_plugin() makes. */
__asm__(
    ".pushsection .par_manifest,\"a\",%progbits\n"
    ".globl par_manifest_begin\npar_manifest_begin:\n"
    ".ascii \"{\\\"manifest_version\\\":1,\\\"namespace\\\":\\\"sample\\\"}\"\n"
    ".globl par_manifest_end\npar_manifest_end:\n"
    ".byte 0\n"
    ".popsection\n");
typedef int par_manifest_is_here;
