"""The network that tells permeability from an image: what it is made of, and how it is built.

It gives log10 k, k in voxels squared, along the first axis of what it is given. k scales with the
square of the voxel size, so one network serves scans of any resolution; for another axis the image
is turned (`flow_first`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bigrock.errors import ParameterError
from bigrock.models.domain import Domain

if TYPE_CHECKING:
    from torch import nn

__all__ = ["PAPER_SURROGATE", "SurrogateConfig", "build_surrogate_net"]

_CHOICES = {
    "architecture": ("views", "conv3d", "darcy"),
    "views": ("channels", "shared"),
    "norm": ("batch", "none"),
}

CELL_HALVINGS = 2
"""How many convolutions of "darcy" halve the image: its cells are of 4³ voxels."""


@dataclass(frozen=True)
class SurrogateConfig:
    """What a surrogate of the flow solver is made of, and what its output means.

    Parameters
    ----------
    edge : int
        Voxels along each axis of the images; others are refused.
    architecture : {"views", "conv3d", "darcy"}
        "views": three branches of 2-D convolutions, over the xy, xz and yz slices, whose features are summed
        (the paper). "conv3d": strided 3-D convolutions. "darcy": 3-D convolutions, of which the first two are
        strided, tell how well each cell of 4³ voxels conducts along z, y and x, and Darcy's law through the
        cells (`bigrock.models.darcy`) tells the permeability: what joins what is solved, not learnt.
        Two convolutions see 7³ voxels, each further one 8 more along each axis.
    views : {"channels", "shared"}
        Of "views" alone. Slices of a branch are the channels of its first convolution (the paper, read
        literally); or each slice goes through the same convolutions, and their features are averaged (fewer
        weights, better).
    features : tuple of int
        Channels of the convolutions, one after the other; two or more of "darcy".
    head : int
        Width of the regression head, of "darcy" that of each cell.
    dropout : float
        Share of the head's inputs that is left out in training.
    norm : {"batch", "none"}
        Normalisation after each convolution.
    members : int
        Networks trained side by side from other first weights; their spread tells how sure they are.
    binarize : bool
        Threshold what is given at one half, so that grey voxels are never foreign. Gradients pass as if
        there were no threshold.
    log10_k_mean, log10_k_std : float
        Of the training rocks, k in voxels squared; the network gives standardised values. Set by training.
    log10_rmse : float, optional
        Error on the validation rocks. Set by training.
    domain : Domain, optional
        What the network was trained on. Set by training.

    Raises
    ------
    ParameterError
        If a value is not allowed.

    References
    ----------
    The permeability paper, Scientific Reports, 2024; `bigrock.workflows.permeability` says what of it is built.

    Examples
    --------
    >>> SurrogateConfig(64, members=3).outputs
    3
    """

    task: ClassVar[str] = "permeability"
    ndim: ClassVar[int] = 3
    channels: ClassVar[int] = 1

    edge: int = 64
    architecture: Literal["views", "conv3d", "darcy"] = "views"
    views: Literal["channels", "shared"] = "channels"
    features: tuple[int, ...] = (16, 32, 48)
    head: int = 64
    dropout: float = 0.0
    norm: Literal["batch", "none"] = "batch"
    members: int = 1
    binarize: bool = False
    log10_k_mean: float = 0.0
    log10_k_std: float = 1.0
    log10_rmse: float | None = None
    domain: Domain | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(int(width) for width in self.features))
        if isinstance(self.domain, dict):
            object.__setattr__(self, "domain", Domain(**self.domain))
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                said = " or ".join(map(repr, allowed))
                raise ParameterError(f"{name}={getattr(self, name)!r} is not known. Use {said}.")
        if not self.features or min(*self.features, self.head, self.members) < 1:
            raise ParameterError(
                f"features={self.features}, head={self.head}, members={self.members} make no network. Give positive "
                "numbers."
            )
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout={self.dropout} is no share. Give 0 or more, less than 1.")
        if self.architecture == "darcy" and len(self.features) < CELL_HALVINGS:
            raise ParameterError(
                f"features={self.features} make one convolution, and the cells of a lattice take two. Give two or more."
            )
        if self.architecture == "darcy" and (self.edge < 1 or self.edge % self.smallest_edge):
            raise ParameterError(
                f"edge={self.edge} is not divided by the cells of architecture='darcy', which are {self.smallest_edge} "
                "voxels long. Give a multiple, or another architecture."
            )
        if self.edge < self.smallest_edge:
            raise ParameterError(
                f"edge={self.edge} is halved {len(self.features)} times by features={self.features}. Give an edge of "
                f"{self.smallest_edge} or more, or fewer features."
            )
        if not self.log10_k_std > 0:
            raise ParameterError(
                f"log10_k_std={self.log10_k_std} is not positive: values cannot be told apart."
            )

    @property
    def outputs(self) -> int:
        """Values per image: one of each member."""
        return self.members

    @property
    def smallest_edge(self) -> int:
        """The smallest image that the convolutions can halve so often."""
        return int(2 ** (CELL_HALVINGS if self.architecture == "darcy" else len(self.features)))

    def definition(self) -> dict[str, Any]:
        """Return the network as bundles hold it: a class by name and its arguments."""
        return {
            "_target_": "bigrock.models.surrogate_net.SurrogateNet",
            "edge": self.edge,
            "architecture": self.architecture,
            "views": self.views,
            "features": list(self.features),
            "head": self.head,
            "dropout": self.dropout,
            "norm": self.norm,
            "members": self.members,
            "binarize": self.binarize,
            **({"deviation": self.log10_k_std} if self.architecture == "darcy" else {}),
        }


PAPER_SURROGATE = SurrogateConfig(256, features=(32, 64, 128, 256), head=256)
"""Three branches over 256³ as in the paper, which states no widths: for a GPU."""


def build_surrogate_net(config: SurrogateConfig) -> nn.Module:
    """Return the network of `config`, with random weights of the current torch seed.

    Takes images (N, 1, e, e, e) float32 from 0 (solid) to 1 (pore) and gives (N, members): standardised
    log10 k along the first axis, ``log10 k[voxel²] = log10_k_mean + log10_k_std · output``.

    Parameters
    ----------
    config : SurrogateConfig
        Edge, branches, widths.

    Returns
    -------
    torch.nn.Module
        In training mode.

    Examples
    --------
    >>> import torch
    >>> net = build_surrogate_net(SurrogateConfig(16, members=2))
    >>> tuple(net(torch.zeros(3, 1, 16, 16, 16)).shape)
    (3, 2)
    """
    from bigrock.models.surrogate_net import SurrogateNet

    arguments = config.definition()
    del arguments["_target_"]
    return SurrogateNet(**arguments)
