from unfold.sites import UnfoldAdminSite


class PartnershipsAdminSite(UnfoldAdminSite):
    pass
