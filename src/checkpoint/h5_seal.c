/**
 * @file The end marker: a line of text behind the HDF5 part, with that part's length and crc32.
 *
 * It is compared before HDF5 sees the file, because HDF5, though it notices damage to its metadata,
 * can then neither close the file nor end quietly. HDF5 itself does not mind bytes behind its end.
 */
#include "h5_private.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEAL_LENGTH = 64, PIECE = 1 << 16 };

static const char seal_start[] = "\nend of file: ";

/** @param[out] seal [SEAL_LENGTH + 1] */
static void seal_text(blo_int n, uint32_t crc, char *seal)
{
  snprintf(seal, SEAL_LENGTH + 1, "%s%020lld bytes before, crc32 %08" PRIx32 "\n", seal_start,
           (long long)n, crc);
}

/** Read n bytes, fewer at the end of the file. @return how many; -1 with errno */
static ssize_t read_at(int fd, void *to, size_t n, off_t at)
{
  size_t have = 0;

  while (have < n) {
    ssize_t more = pread(fd, (char *)to + have, n - have, at + (off_t)have);
    if (more < 0 && errno != EINTR) {
      return -1;
    }
    if (more == 0) {
      break;
    }
    have += more > 0 ? (size_t)more : 0;
  }
  return (ssize_t)have;
}

static blo_status crc_of_file(blo_h5 *f, blo_int n, uint32_t *crc)
{
  unsigned char piece[PIECE];

  BLO_TRY(blo_fault_point(f->ctx, "read"));
  *crc = 0;
  for (blo_int at = 0; at < n;) {
    size_t want = n - at < PIECE ? (size_t)(n - at) : PIECE;
    ssize_t have = read_at(f->disk.fd, piece, want, (off_t)at);
    BLO_CHECK(f->ctx, have == (ssize_t)want, BLO_E_IO, "cannot read %s at byte %lld: %s", f->path,
              (long long)at, have < 0 ? strerror(errno) : "it ends there");
    *crc = blo_crc32(*crc, piece, want);
    at += (blo_int)want;
  }
  return BLO_OK;
}

static blo_status size_of_file(blo_h5 *f, blo_int *n)
{
  struct stat is;

  BLO_CHECK(f->ctx, fstat(f->disk.fd, &is) == 0, BLO_E_IO, "cannot look at %s: %s", f->path,
            strerror(errno));
  *n = (blo_int)is.st_size;
  return BLO_OK;
}

blo_status blo_h5_seal(blo_h5 *f)
{
  char seal[SEAL_LENGTH + 1];
  blo_int n = 0;
  uint32_t crc = 0;
  ssize_t written;

  BLO_TRY(size_of_file(f, &n));
  BLO_TRY(crc_of_file(f, n, &crc));
  BLO_TRY(blo_fault_point(f->ctx, "write"));
  seal_text(n, crc, seal);
  written = pwrite(f->disk.fd, seal, SEAL_LENGTH, (off_t)n);
  BLO_CHECK(f->ctx, written == SEAL_LENGTH, BLO_E_IO, "cannot write %s: %s", f->temporary,
            written < 0 ? strerror(errno) : strerror(ENOSPC));
  return BLO_OK;
}

blo_status blo_h5_check_seal(blo_h5 *f)
{
  char found[SEAL_LENGTH + 1] = "", want[SEAL_LENGTH + 1];
  blo_int n = 0;
  uint32_t crc = 0;

  BLO_TRY(size_of_file(f, &n));
  n -= SEAL_LENGTH;
  BLO_CHECK(f->ctx,
            n >= 0 && read_at(f->disk.fd, found, SEAL_LENGTH, (off_t)n) == SEAL_LENGTH &&
                strncmp(found, seal_start, sizeof seal_start - 1) == 0,
            BLO_E_FORMAT,
            "%s (%lld bytes) has no end marker of ParBLO's: it is not one of its files, or was cut "
            "off or changed",
            f->path, (long long)(n + SEAL_LENGTH));
  BLO_TRY(crc_of_file(f, n, &crc));
  seal_text(n, crc, want);
  BLO_CHECK(f->ctx, memcmp(found, want, SEAL_LENGTH) == 0, BLO_E_FORMAT,
            "%s is damaged: it should end with '%.*s', but ends with '%.*s'", f->path,
            SEAL_LENGTH - 2, want + 1, SEAL_LENGTH - 2, found + 1);
  return BLO_OK;
}
