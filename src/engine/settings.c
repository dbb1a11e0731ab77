/* SPDX-License-Identifier: MIT */
/*
 * The settings; settings.h says which.
 */
#include "engine/settings.h"

struct settings settings;
