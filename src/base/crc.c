/** @file crc32 over lengths that do not fit zlib's unsigned int. */
#include <blo/base.h>
#include <zlib.h>

uint32_t blo_crc32(uint32_t crc, const void *bytes, size_t n)
{
  return (uint32_t)crc32_z(crc, bytes, n);
}
