#include "unit/answer/world.h"
