/** @file The checksum of a dataset's contents: HDF5 checks its own metadata, but not the data. */
#include "h5_private.h"

static const char crc_name[] = "crc32";

blo_status blo_h5_write_crc(blo_h5 *f, hid_t dataset, uint32_t crc)
{
  return blo_h5_write_attribute(f, dataset, crc_name, H5T_STD_U32LE, H5T_NATIVE_UINT32, &crc);
}

blo_status blo_h5_check_crc(blo_h5 *f, hid_t dataset, const char *path, uint32_t found)
{
  uint32_t want = 0;

  BLO_TRY(blo_h5_read_attribute(f, dataset, crc_name, H5T_INTEGER, H5T_NATIVE_UINT32, &want));
  BLO_CHECK(f->ctx, want == found, BLO_E_FORMAT,
            "%s: '%s' is damaged: its crc32 is %08lx, not %08lx as when it was written", f->path,
            path, (unsigned long)found, (unsigned long)want);
  return BLO_OK;
}
