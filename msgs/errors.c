//  errors.c - names and texts of the error codes.

#include "errors.h"

#include <errno.h>
#include <stddef.h>

const char *
artel_error_code_name(int code)
{
    switch (code) {
    case ARTEL_OK: return "ARTEL_OK";
#define E(NAME, number, text) case number: return "ARTEL_" #NAME;
    ARTEL_ERRORS(E)
#undef E
    default: return "ARTEL_?";
    }
}

const char *
artel_error_code_text(int code)
{
    switch (code) {
    case ARTEL_OK: return "no error";
#define E(NAME, number, text_) case number: return text_;
    ARTEL_ERRORS(E)
#undef E
    default: return "unknown error";
    }
}

int
artel_error_of_errno(int err)
{
    static const struct { int err, code; } table[] = {
        { ENOSPC, ARTEL_ENOSPC }, { EDQUOT, ARTEL_ENOSPC }, { EFBIG, ARTEL_ENOSPC },
        { ENOENT, ARTEL_ENOENT }, { ENOTDIR, ARTEL_ENOENT }, { EEXIST, ARTEL_EEXIST },
        { EACCES, ARTEL_EACCES }, { EPERM, ARTEL_EACCES }, { EROFS, ARTEL_EACCES },
        { ENOMEM, ARTEL_ENOMEM }, { EMFILE, ARTEL_EMFILE }, { ENFILE, ARTEL_EMFILE },
        { EAGAIN, ARTEL_EAGAIN }, { EINVAL, ARTEL_EINVAL }, { ENAMETOOLONG, ARTEL_ELIMIT },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].err == err)
            return table[i].code;
    return ARTEL_EIO;
}
