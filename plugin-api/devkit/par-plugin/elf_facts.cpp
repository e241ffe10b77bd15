#include "plugin-api/devkit/par-plugin/elf_facts.hpp"

#include <cstring>

#include <elf.h>

#include "core/base/files.hpp"

namespace par::kit {
namespace {

using core::fail;
using core::Result;

constexpr size_t k_max_library = 1u << 30;

/// Reads structs at offsets that the file itself names; anything outside is empty.
class Image {
 public:
  explicit Image(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  bool get(uint64_t offset, T& value) const {
    if (offset > bytes_.size() || sizeof(T) > bytes_.size() - offset) return false;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return true;
  }
  std::string_view part(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    return bytes_.substr(offset, size);
  }

 private:
  std::string_view bytes_;
};

std::string text_at(std::string_view strings, uint64_t offset) {
  if (offset >= strings.size()) return "";
  const std::string_view rest = strings.substr(offset);
  return std::string(rest.substr(0, rest.find('\0')));
}

void read_symbols(const Image& image, const Elf64_Shdr& section, std::string_view strings, ElfFacts& facts) {
  for (uint64_t i = 1; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
    Elf64_Sym symbol{};
    if (!image.get(section.sh_offset + i * sizeof(Elf64_Sym), symbol)) return;
    const bool local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
    if (local || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) continue;
    facts.exports.push_back(text_at(strings, symbol.st_name));
  }
}

void read_dynamic(const Image& image, const Elf64_Shdr& section, std::string_view strings, ElfFacts& facts) {
  for (uint64_t i = 0; i < section.sh_size / sizeof(Elf64_Dyn); ++i) {
    Elf64_Dyn entry{};
    if (!image.get(section.sh_offset + i * sizeof(Elf64_Dyn), entry) || entry.d_tag == DT_NULL) return;
    if (entry.d_tag == DT_NEEDED) facts.needed.push_back(text_at(strings, entry.d_un.d_val));
    if (entry.d_tag == DT_TEXTREL) facts.text_relocations = true;
    if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0) facts.text_relocations = true;
    if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NODELETE) != 0) facts.nodelete = true;
  }
}

}  // namespace

Result<ElfFacts> read_elf_facts(const std::filesystem::path& file) {
  const auto bytes = core::read_file(file, k_max_library);
  if (!bytes) return tl::unexpected(bytes.error());
  const Image image(*bytes);
  Elf64_Ehdr header{};
  if (!image.get(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return fail(file.string() + ": not a 64-bit ELF file");
  }
  ElfFacts facts;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!image.get(header.e_phoff + i * sizeof segment, segment)) return fail(file.string() + ": truncated");
    if (segment.p_type == PT_GNU_STACK && (segment.p_flags & PF_X) != 0) facts.executable_stack = true;
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section{};
    Elf64_Shdr linked{};
    if (!image.get(header.e_shoff + i * sizeof section, section)) return fail(file.string() + ": truncated");
    if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_DYNAMIC) continue;
    if (!image.get(header.e_shoff + section.sh_link * sizeof linked, linked)) continue;
    const std::string_view strings = image.part(linked.sh_offset, linked.sh_size);
    if (section.sh_type == SHT_DYNSYM) read_symbols(image, section, strings, facts);
    if (section.sh_type == SHT_DYNAMIC) read_dynamic(image, section, strings, facts);
  }
  return facts;
}

}  // namespace par::kit
