#include "core/plugin/elf_section.hpp"

#include <cstring>

#include <elf.h>

#include "core/plugin/catalog.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

/// The smallest ELF file that has a manifest: header, section names, manifest, three section headers.
struct Image {
  Elf64_Ehdr header{};
  std::string names = std::string("\0.par_manifest\0.shstrtab\0", 25);
  std::string manifest = "{\"a\":1}";
  Elf64_Shdr sections[3]{};

  Image() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
#if defined(__x86_64__)
    header.e_machine = EM_X86_64;
#else
    header.e_machine = EM_AARCH64;
#endif
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    layout();
  }

  void layout() {
    sections[1].sh_name = 1;
    sections[1].sh_type = SHT_PROGBITS;
    sections[1].sh_offset = sizeof header + names.size();
    sections[1].sh_size = manifest.size();
    sections[2].sh_name = 15;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = sizeof header;
    sections[2].sh_size = names.size();
    header.e_shoff = sizeof header + names.size() + manifest.size();
  }

  std::string bytes() const {
    std::string all(reinterpret_cast<const char*>(&header), sizeof header);
    all += names + manifest;
    all.append(reinterpret_cast<const char*>(sections), sizeof sections);
    return all;
  }
};

Result<std::string> find(const std::string& file) {
  return find_manifest(file.size(), [&](uint64_t offset, uint64_t size) -> Result<std::string> {
    REQUIRE(offset <= file.size());
    REQUIRE(size <= file.size() - offset);
    return file.substr(offset, size);
  });
}

std::string refusal(const Image& image) {
  const auto manifest = find(image.bytes());
  return manifest ? "found " + *manifest : manifest.error().message;
}

}  // namespace

TEST_CASE("the manifest ends at the first NUL or with its section") {
  Image image;
  CHECK(refusal(image) == "found {\"a\":1}");
  image.manifest = std::string("{}\0\0padding", 11);
  image.layout();
  CHECK(refusal(image) == "found {}");
}

TEST_CASE("numbers that do not fit the ELF header are read from section 0") {
  Image image;
  image.header.e_shnum = 0;
  image.sections[0].sh_size = 3;
  image.header.e_shstrndx = SHN_XINDEX;
  image.sections[0].sh_link = 2;
  CHECK(refusal(image) == "found {\"a\":1}");
}

TEST_CASE("a file that is no plugin of this machine is refused with the reason") {
  const auto with = [](auto change) {
    Image image;
    change(image);
    return refusal(image);
  };
  CHECK(with([](Image& i) { i.header.e_ident[0] = 'X'; }) == "not an ELF file");
  CHECK(with([](Image& i) { i.header.e_ident[EI_CLASS] = ELFCLASS32; }) ==
        "not a 64-bit little-endian ELF file");
  CHECK(with([](Image& i) { i.header.e_ident[EI_DATA] = ELFDATA2MSB; }) ==
        "not a 64-bit little-endian ELF file");
  CHECK(with([](Image& i) { i.header.e_machine = EM_MIPS; }).starts_with("built for another machine"));
  CHECK(with([](Image& i) { i.header.e_type = ET_EXEC; }).starts_with("not a shared library"));
  CHECK(with([](Image& i) { i.header.e_shoff = 0; }) == "no section headers");
  CHECK(with([](Image& i) { i.header.e_shoff = UINT64_MAX - 3; }).starts_with("truncated"));
  CHECK(with([](Image& i) { i.header.e_shnum = 60'000; }).starts_with("truncated"));
  CHECK(with([](Image& i) { i.header.e_shstrndx = 3; }) == "damaged section table");
  CHECK(with([](Image& i) { i.sections[1].sh_name = 9; }).starts_with("not a plugin"));
  CHECK(with([](Image& i) { i.sections[1].sh_name = UINT32_MAX; }).starts_with("not a plugin"));
  CHECK(with([](Image& i) { i.sections[1].sh_offset = UINT64_MAX; }).starts_with("truncated"));
  CHECK(with([](Image& i) { i.sections[1].sh_size = 1u << 20; }).starts_with("truncated"));
  CHECK(with([](Image& i) { i.sections[1].sh_size = UINT64_MAX; }).find("larger than 16 MiB") !=
        std::string::npos);
  CHECK(with([](Image& i) { i.sections[1].sh_type = SHT_NOBITS; }).find("empty or compressed") !=
        std::string::npos);
  CHECK(with([](Image& i) { i.sections[1].sh_flags = SHF_COMPRESSED; }).find("compressed") !=
        std::string::npos);
  CHECK(with([](Image& i) { i.sections[2].sh_size = UINT64_MAX; }) == "damaged section names");
}

TEST_CASE("a file cut at any byte is refused") {
  const std::string whole = Image().bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(find(whole.substr(0, size)));
  }
}

TEST_CASE("only regular files are read for a manifest") {
  CHECK(read_manifest_section("/").error().message == "not a regular file");
  CHECK(read_manifest_section("/dev/null").error().message == "not a regular file");
  CHECK(read_manifest_section("/does/not/exist").error().message.starts_with("cannot be opened"));
  CHECK_FALSE(read_manifest_section("/proc/self/exe"));
}
