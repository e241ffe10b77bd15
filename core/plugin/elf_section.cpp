#include "core/plugin/elf_section.hpp"

#include <bit>
#include <cerrno>
#include <cstring>

#include <elf.h>
#include <fmt/format.h>
#include <par/plugin.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/library_file.hpp"

namespace par::core {
namespace {

#if defined(__x86_64__)
constexpr uint16_t k_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t k_machine = EM_AARCH64;
#else
#  error "name the ELF machine of this architecture"
#endif
static_assert(std::endian::native == std::endian::little);

constexpr uint64_t k_max_sections = 65'536;
constexpr uint64_t k_max_names = 1u << 20;
constexpr uint64_t k_max_manifest = 16u << 20;

/// Reads a range that the file itself names, so nothing about it is sure.
Result<std::string> checked_read(uint64_t file_size, const ReadAt& read, uint64_t offset, uint64_t size,
                                 std::string_view what) {
  if (offset > file_size || size > file_size - offset) {
    return fail(fmt::format("truncated: its {} would end at byte {} of {}", what, offset + size, file_size));
  }
  return read(offset, size);
}

template <typename T>
T copy_from(const std::string& bytes, size_t offset = 0) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Result<void> check_header(const Elf64_Ehdr& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return fail("not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return fail("not a 64-bit little-endian ELF file");
  }
  if (header.e_machine != k_machine) {
    return fail(
        fmt::format("built for another machine: ELF machine {}, expected {}", header.e_machine, k_machine));
  }
  if (header.e_type != ET_DYN) return fail(fmt::format("not a shared library: ELF type {}", header.e_type));
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return fail("no section headers");
  return {};
}

}  // namespace

Result<std::string> find_manifest(uint64_t file_size, const ReadAt& read) {
  if (file_size < sizeof(Elf64_Ehdr)) return fail("not an ELF file: too short");
  const auto header_bytes = read(0, sizeof(Elf64_Ehdr));
  if (!header_bytes) return header_bytes;
  const auto header = copy_from<Elf64_Ehdr>(*header_bytes);
  if (const auto valid = check_header(header); !valid) return tl::unexpected(valid.error());

  const auto first_bytes = checked_read(file_size, read, header.e_shoff, sizeof(Elf64_Shdr), "section table");
  if (!first_bytes) return first_bytes;
  // Numbers that do not fit the header stand in section 0.
  const auto first = copy_from<Elf64_Shdr>(*first_bytes);
  const uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
  const uint64_t names_index = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
  if (count > k_max_sections || names_index >= count) return fail("damaged section table");

  const auto table =
      checked_read(file_size, read, header.e_shoff, count * sizeof(Elf64_Shdr), "section table");
  if (!table) return table;
  const auto section = [&](uint64_t index) {
    return copy_from<Elf64_Shdr>(*table, index * sizeof(Elf64_Shdr));
  };

  const Elf64_Shdr names_section = section(names_index);
  if (names_section.sh_size > k_max_names) return fail("damaged section names");
  const auto names =
      checked_read(file_size, read, names_section.sh_offset, names_section.sh_size, "section names");
  if (!names) return names;

  const std::string wanted(PAR_MANIFEST_SECTION, sizeof PAR_MANIFEST_SECTION);  // with its NUL
  for (uint64_t index = 0; index < count; ++index) {
    const Elf64_Shdr candidate = section(index);
    if (candidate.sh_name >= names->size() || names->compare(candidate.sh_name, wanted.size(), wanted) != 0)
      continue;
    if (candidate.sh_type == SHT_NOBITS || (candidate.sh_flags & SHF_COMPRESSED) != 0) {
      return fail("its section " PAR_MANIFEST_SECTION " is empty or compressed");
    }
    if (candidate.sh_size > k_max_manifest)
      return fail("its section " PAR_MANIFEST_SECTION " is larger than 16 MiB");
    auto text = checked_read(file_size, read, candidate.sh_offset, candidate.sh_size,
                             "section " PAR_MANIFEST_SECTION);
    if (text) text->resize(std::min(text->find('\0'), text->size()));
    return text;
  }
  return fail("not a plugin: it has no section " PAR_MANIFEST_SECTION);
}

Result<std::string> read_manifest_section(const std::filesystem::path& file) {
  const auto opened = open_library(file);
  if (!opened) return tl::unexpected(opened.error());
  const FileDescriptor& descriptor = *opened;
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return fail("cannot be read: " + errno_text(errno));
  return find_manifest(
      static_cast<uint64_t>(status.st_size), [&](uint64_t offset, uint64_t size) -> Result<std::string> {
        std::string bytes(size, '\0');
        size_t done = 0;
        while (done < size) {
          const ssize_t got =
              ::pread(descriptor.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
          if (got < 0 && errno == EINTR) continue;
          if (got < 0) return fail("cannot be read: " + errno_text(errno));
          if (got == 0) return fail("became shorter while it was read");
          done += static_cast<size_t>(got);
        }
        return bytes;
      });
}

}  // namespace par::core
