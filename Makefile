# Everything a user types. `make help` lists it.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

# make train-cgan DATASET=mnist EPOCHS=20: variables become options of the program.
options = $(if $(DATASET),--dataset "$(DATASET)") $(if $(DATA_DIR),--data-dir "$(DATA_DIR)") \
	$(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(BATCH_SIZE),--batch-size $(BATCH_SIZE)) \
	$(if $(NAME),--name "$(NAME)") $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup test lint tensorboard generate evaluate walk translate export serve benchmark

help:
	@echo 'make train-cgan       train a conditional GAN, then export it; likewise train-gan, train-dcgan,'
	@echo '                      train-wgan-gp, train-autoencoder, train-vae, train-aae, train-cyclegan'
	@echo '                      DATASET=mnist DATA_DIR=folder EPOCHS=20 BATCH_SIZE=128 NAME=mine ARGS="--seed 1"'
	@echo '                      WORKERS=2 trains on two processes of this machine'
	@echo 'make generate MODEL=cgan   images from the newest export; ARGS="--label 7 --count 25 --out folder"'
	@echo 'make evaluate RUN=runs/mine    score its samples; ARGS="--compare runs/a runs/b" several side by side'
	@echo 'make walk MODEL=cgan  animate the latent space; RUN=runs/mine ARGS=--classes from class to class'
	@echo 'make translate MODEL=cyclegan INPUT=photos   to the other domain; ARGS="--direction y-to-x --out folder"'
	@echo 'make export RUN=runs/mine      publish its best checkpoint; ARGS="--checkpoint last" the last'
	@echo 'make tensorboard      open the dashboard on runs/; PORT=6006'
	@echo 'make serve MODEL=cgan start TF Serving on saved_models/; ARGS="--port 8501"'
	@echo 'make test             run all tests'
	@echo 'make lint             check style'
	@echo 'make benchmark        time the training step; ARGS="--batch-sizes 32 128"'
	@echo 'make setup            only make the virtual environment; PYTHON=python3.12 chooses another Python'

setup: $(READY)

# Made again when the requirements change; a broken attempt leaves no mark, so the next one repeats it.
$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo 'keras_gans needs Python 3.10 or newer: make PYTHON=python3.12 ...' >&2; exit 2; }
	@echo 'Setting up $(VENV) (once, a few minutes)'
	@$(PYTHON) -m venv $(VENV) || { \
		echo 'Python cannot make virtual environments: on Debian, apt install python3-venv' >&2; exit 2; }
	@extras=test; if nvidia-smi -L > /dev/null 2>&1; then extras=test,cuda; \
		echo 'NVIDIA driver found: TensorFlow comes with its CUDA libraries'; fi; \
		$(PY) -m pip install --quiet --disable-pip-version-check --editable ".[$$extras]"
	@touch $@

train-%: $(READY)
	@$(PY) -m $(if $(WORKERS),apps.workers $(WORKERS),apps.train) $* $(options)

generate: $(READY)
	@$(PY) -m apps.generate $(or $(RUN),saved_models/$(or $(MODEL),cgan)) $(ARGS)

evaluate: $(READY)
	@$(PY) -m apps.evaluate $(RUN) $(ARGS)

walk: $(READY)
	@$(PY) -m apps.walk $(or $(RUN),saved_models/$(or $(MODEL),cgan)) $(ARGS)

translate: $(READY)
	@$(PY) -m apps.translate $(or $(RUN),saved_models/$(or $(MODEL),cyclegan)) $(if $(INPUT),"$(INPUT)") $(ARGS)

export: $(READY)
	@$(PY) -m apps.export $(RUN) $(ARGS)

tensorboard: $(READY)
	@mkdir -p runs
	@$(PY) -c 'import apps.quiet; from tensorboard.main import run_main; run_main()' \
		--logdir runs --port $(or $(PORT),6006) $(ARGS)

serve: $(READY)
	@$(PY) -m apps.serve $(or $(MODEL),cgan) $(ARGS)

benchmark: $(READY)
	@$(PY) -m apps.benchmark $(ARGS)

test: $(READY)
	@$(PY) -m pytest -n auto --dist loadfile $(ARGS)

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
