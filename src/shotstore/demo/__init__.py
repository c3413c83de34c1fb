"""A simulated experiment: a gas of rubidium that is cooled until it condenses."""
