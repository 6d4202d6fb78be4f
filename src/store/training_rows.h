#pragma once

#include <vector>

#include "sqlite.h"
#include "valence/store/store.h"

namespace valence {

// The tables training_steps and artefacts (Store::put_training_step and its kin).
Result<void> put_training_step(const Database& database, RunId run, const TrainingStep& step);
Result<std::vector<TrainingStep>> training_steps(const Database& database, RunId run);
Result<void> put_artefact(const Database& database, RunId run, const Artefact& artefact);
Result<std::vector<Artefact>> artefacts(const Database& database, RunId run);

}  // namespace valence
