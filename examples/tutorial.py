# %% [markdown]
# # From camera frames to a condensate
#
# A gas of rubidium is cooled by evaporation until it condenses. The camera takes three frames a
# shot: one with the atoms in the probe light, one of the light alone, and one without light. We
# record such a run, compute what the atoms have absorbed, fit the condensate, find the run again,
# and hand on the numbers.
#
# The frames are in a folder, as `00_atoms.png`, `00_reference.png`, `00_dark.png`, `01_atoms.png`
# and so on. Any run of this kind will do: put yours where `frames` is. The one shown here has 13
# shots, held 0.2 s longer in each step. It is simulated, with the noise of light and camera, by
# `demo_frames.py`, so that everybody has it.
#
# This page is the file `examples/tutorial.py` of a clone. Its cells run in VS Code, Spyder and
# Jupyter, or all at once with `python examples/tutorial.py`. It needs what
# `pip install ".[all]" pillow` brings there.

# %%
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import polars as pl
from demo_frames import write_frames
from record_png_run import find_shots, record

from shotstore import PureSequencePath, Sequence
from shotstore.analysis import plot_image
from shotstore.hdf5 import HDF5StorageManager

# %% [markdown]
# ## Record
#
# A store is a directory. What a control program does with each shot it takes, `record_png_run.py`
# does with each shot in the folder: a session, and in it one shot, safe on the disk when the
# session ends.

# %%
storage = HDF5StorageManager("lab")
path = PureSequencePath(r"\rubidium\evaporation")
frames_folder = Path("frames")

if not frames_folder.is_dir():
    write_frames(frames_folder)
if not storage.find(path):
    record(find_shots(frames_folder), storage, path)

# %% [markdown]
# The run is a sequence in the tree of paths. It knows what was varied, and what each shot holds.

# %%
with storage.session() as session:
    sequence = Sequence(path, session)
    print(sequence, sequence.get_state().name, len(sequence), "shots")
    for name, kind in sequence.get_parameter_schema().items():
        print(f"{name}: {kind.type}")
    for label, data in sequence.get_data_schema().items():
        print(f"{label}: {data.dtype} {data.shape}")

# %% [markdown]
# ```
# \rubidium\evaporation FINISHED 13 shots
# hold_step: int
# atoms: uint16 (256, 320)
# dark: uint16 (256, 320)
# reference: uint16 (256, 320)
# ```
#
# The store is made of plain files, and the frames can be read [without
# shotstore](reading-without-shotstore.md) too. A run that is still being recorded is read in the
# same ways, and `storage.follow(path)` yields its shots [as they come](sessions.md#a-live-display).

# %% [markdown]
# ## Scan
#
# `scan` is the run as a table, a row a shot, which reads only what is asked for. Here that is all
# frames of all shots, but it might be `shots.filter(pl.col("hold_step") > 9)`, which reads no
# frame of the other shots.

# %%
shots = storage.scan(path)
frames = shots.select("shot_index", "hold_step", "atoms", "reference", "dark").collect()
print(frames.height, "shots,", f"{frames.estimated_size('mb'):.1f} MiB,", frames["atoms"].dtype)

# %% [markdown]
# ```
# 13 shots, 6.1 MiB, Array(UInt16, shape=(256, 320))
# ```
#
# ## Optical density
#
# Of the probe light, the atoms leave the fraction (atoms - dark) / (reference - dark). The optical
# density is minus its logarithm, and proportional to the number of atoms in the line of sight.
# `plot_image` shows frames side by side, with one scale: those of a sequence
# (`sequence.plot_image("atoms")`), or what was computed from them.
#
# What is found for a shot is [kept with it](results.md), beside what was recorded: `shot_index`
# says of which shots the densities are. From here on, they are a column of the run as `atoms` is.


# %%
Array: TypeAlias = npt.NDArray[Any]


def optical_density(atoms: Array, reference: Array, dark: Array) -> Array:
    """Of frames of counts, shape (shots, height, width)."""
    left = np.clip(atoms.astype(float) - dark, 1, None)
    light = np.clip(reference.astype(float) - dark, 1, None)
    density: Array = -np.log(left / light)
    return density


density = optical_density(*(frames[name].to_numpy() for name in ("atoms", "reference", "dark")))
with storage.session() as session:
    Sequence(path, session).set_results(
        {"shot_index": frames["shot_index"], "optical_density": density.astype(np.float32)},
        by="tutorial.py",
    )

cloud = {"hold_step": frames["hold_step"], "optical density": density[:, 48:208, 60:260]}
plot_image(cloud, "optical density", caption="hold_step")
plt.savefig("optical-density.png")

# %% [markdown]
# ![Optical density of all shots](tutorial-optical-density.png)
#
# ## Fit the condensate
#
# The cloud has two parts. Thermal atoms that are about to condense have the density
# $g_2(e^{-r^2/2w^2})$ along the line of sight, where $g_2(z) = z + z^2/4 + z^3/9 + ...$: a Gaussian
# with a peak on top. The condensate is an inverted parabola in three dimensions, so that along the
# line of sight its density is $(1 - \rho^2)^{3/2}$. The trap squeezes it from above and below, and
# so it expands faster there: $\rho$ is the distance from the middle in units of an ellipse that is
# 1.8 times as high as wide, in all shots.
#
# The mean over all pixels at the same distance from the middle has little noise, and is the same
# whether a model or a frame is averaged. In it, the amplitudes of both parts and of the background
# enter linearly. Only the two widths have to be searched for, and trying all of them takes a blink.


# %%
REACH = 120  # pixels
ELONGATION = 1.8


def radial_mean(values: Array, row: Any, column: Any) -> Array:
    """Mean over all pixels at each distance from a point, in pixels."""
    rows, columns = np.indices(values.shape)
    distance = np.hypot(rows - row, columns - column).astype(int).ravel()
    return (np.bincount(distance, values.ravel()) / np.bincount(distance))[:REACH]


def radial_profile(density: Array) -> Array:
    """Mean optical density at each distance from the middle of the cloud."""
    window = np.ones(15) / 15
    row, column = (np.convolve(density.sum(axis), window, "same").argmax() for axis in (1, 0))
    return radial_mean(density, row, column)


r = np.arange(REACH) + 0.5
rows, columns = np.indices((2 * REACH + 1, 2 * REACH + 1)) - REACH
squared = rows**2 + (columns * ELONGATION) ** 2
orders = np.arange(1, 60)[:, None]
THERMAL = {
    width: (np.exp(-orders * r**2 / (2 * width**2)) / orders**2).sum(axis=0)
    for width in range(12, 60)
}
CONDENSED = {
    radius: radial_mean(np.clip(1 - squared / radius**2, 0, None) ** 1.5, REACH, REACH)
    for radius in range(12, 40)
}


def fit(profile: Array) -> tuple[dict[str, float], Array]:
    """Optical density times area of both parts, their widths in pixels, and their curves."""
    weights = np.sqrt(r)  # as many pixels are at this distance
    fits = []
    for width, thermal in THERMAL.items():
        for radius, condensed in CONDENSED.items():
            parts = np.stack([thermal, condensed, np.ones_like(r)], axis=1)
            amplitudes, *_ = np.linalg.lstsq(parts * weights[:, None], profile * weights)
            error = (r * (parts @ amplitudes - profile) ** 2).sum()
            if amplitudes[0] >= 0 and amplitudes[1] >= 0:
                fits.append((error, width, radius, parts * amplitudes))
    _, width, radius, curves = min(fits, key=lambda fit: fit[0])
    thermal, condensed, _ = 2 * np.pi * (curves.T * r).sum(axis=1)
    return {"thermal": thermal, "condensed": condensed, "width": width, "radius": radius}, curves


profiles = [radial_profile(shot) for shot in density]
fits = [fit(profile) for profile in profiles]
results = pl.DataFrame([numbers for numbers, _ in fits]).with_columns(
    frames["shot_index"],
    condensate_fraction=pl.col("condensed") / (pl.col("thermal") + pl.col("condensed")),
)
print(results["condensate_fraction"].round(2).to_list())

# %% [markdown]
# ```
# [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 0.35, 0.48, 0.54]
# ```
#
# That is what was simulated: the gas condenses at hold step 8, and in the last shot the fraction is
# 54 %. That shot, and what the fit makes of it:

# %%
figure, axis = plt.subplots(figsize=(5, 3.2), layout="constrained")
profile, (thermal, condensate, background) = profiles[-1], fits[-1][1].T
distance = np.arange(len(profile)) + 0.5
axis.fill_between(distance, background, thermal + background, label="thermal atoms", alpha=0.4)
axis.fill_between(
    distance, thermal + background, thermal + background + condensate, label="condensate", alpha=0.4
)
axis.plot(distance, profile, ".", color="black", markersize=3)
axis.set(xlabel="distance from the middle (pixels)", ylabel="optical density")
axis.legend(frameon=False)
figure.savefig("profile.png", dpi=120)

# %% [markdown]
# ![Radial profile of the last shot, and the fit](tutorial-profile.png)
#
# ## Keep, and plot
#
# The fits are kept with their shots too, by whom and when. A better one can be stored later: the
# newest counts, and `get_results(history=True)` has them all. `plot` draws one column of a sequence
# against another, whether it was set, measured or found.

# %%
with storage.session() as session:
    sequence = Sequence(path, session)
    sequence.set_results(results, by="bimodal fit")
    axes = sequence.plot("hold_step", "condensate_fraction")
axes.set(title=f"{path}", ylim=(0, None))
plt.savefig("condensate-fraction.png", dpi=120)

# %% [markdown]
# ![Condensate fraction against hold step](tutorial-condensate-fraction.png)
#
# ## Find it again
#
# In a year, nobody will remember the path, but somebody will remember the condensate. Sequences
# are found by what they varied, by what was measured and what was found; and by tags and notes,
# which can be put on them at any time.

# %%
largest = results["condensate_fraction"].to_numpy().max()
with storage.session() as session:
    sequence = Sequence(path, session)
    sequence.add_tag("condensate")
    sequence.set_note(f"Condensate fraction up to {largest:.0%}, bimodal fit.")

for found in storage.find(where="condensate_fraction > 0.5", min_shots=10, since="last week"):
    print(found.path, found.state.name, f"{found.number_of_shots} shots:", found.note)

# %% [markdown]
# ```
# \rubidium\evaporation FINISHED 13 shots: Condensate fraction up to 54%, bimodal fit.
# ```
#
# On the command line that is `shotstore find --where "condensate_fraction > 0.5"`; with
# `--tag condensate` it is found as well.
#
# ## Export
#
# `export` writes the shots of a sequence for other programs, with what was found: numbers as CSV
# or for Excel, frames too as Parquet, NetCDF or npz, or all of it as it is, as a zip file.
# Unpacked, that opens with `HDF5StorageManager(directory, read_only=True)`.

# %%
with storage.session() as session:
    sequence = Sequence(path, session)
    chosen = ["hold_step", "condensate_fraction"]
    sequence.export("condensate.csv", columns=chosen, force=True)
    sequence.export("evaporation.zip", force=True)
