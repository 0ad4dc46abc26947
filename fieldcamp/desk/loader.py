"""Where templates of installed apps come from, with what the theme leaves out."""

import re

from django.template import Origin
from django.template.loaders.app_directories import Loader

# The theme draws icons as words that its font shows as one sign; a screen reader would read the words out.
_ICON = re.compile(r'<span(?=[^>]*\bclass="[^"]*material-symbols-outlined)(?![^>]*aria-hidden)')


class ThemeLoader(Loader):
    """Django's loader of apps' templates, which marks each icon as none of a screen reader's business."""

    def get_contents(self, origin: Origin) -> str:
        return _ICON.sub('<span aria-hidden="true"', super().get_contents(origin))
